import { Refusal } from './refusal.js'

/** A browser's form, read whole: this origin keeps its objects in memory anyway. */
export interface Form {
  /** By lower-case name; text, with `${filename}` replaced. */
  readonly fields: ReadonlyMap<string, string>
  readonly file: Buffer
}

const FIELDS_LIMIT = 20_480

/**
 * Splits multipart/form-data at its boundary. What follows the file is ignored, if the form ends at all.
 *
 * @throws Refusal as S3 answers: no file, fields too long, not a form
 */
export async function readForm(
  source: AsyncIterable<Buffer>,
  contentType: string,
  declaredLength: number,
): Promise<Form> {
  const found = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType)
  const boundary = found?.[1] ?? found?.[2]
  if (boundary === undefined) throw new Refusal('MalformedPOSTRequest')
  const body = await readAll(source)
  if (body.length !== declaredLength) throw new Refusal('IncompleteBody')
  const fields = new Map<string, string>()
  let at = body.indexOf(`--${boundary}`)
  for (;;) {
    const head = at + boundary.length + 2
    if (at < 0) throw new Refusal('MalformedPOSTRequest')
    if (body.toString('latin1', head, head + 2) === '--') throw noFile()
    const content = body.indexOf('\r\n\r\n', head) + 4
    const end = body.indexOf(`\r\n--${boundary}`, content - 2)
    if (content < 4 || end < 0) throw new Refusal('MalformedPOSTRequest')
    const header = body.toString('utf8', head, content)
    const name = (/\bname="([^"]*)"/i.exec(header.replace(/filename="/i, ''))?.[1] ?? '').toLowerCase()
    if (name === 'file') {
      if (at > FIELDS_LIMIT) throw tooLong()
      if (!body.includes(`\r\n--${boundary}--`, end)) throw new Refusal('MalformedPOSTRequest')
      return { fields: expand(fields, header), file: body.subarray(content, end) }
    }
    fields.set(name, body.toString('utf8', content, Math.max(content, end)))
    at = end + 2
    if (at > FIELDS_LIMIT) throw tooLong()
  }
}

function expand(fields: ReadonlyMap<string, string>, header: string): ReadonlyMap<string, string> {
  const filename = /\bfilename="([^"]*)"/i.exec(header)?.[1]?.replace(/^.*[/\\]/s, '') ?? ''
  return new Map([...fields].map(([name, value]) => [name, value.split('${filename}').join(filename)]))
}

async function readAll(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function noFile(): Refusal {
  return new Refusal('InvalidArgument', {
    message: 'POST requires exactly one file upload per request.',
    extra: { ArgumentName: 'file', ArgumentValue: '0' },
  })
}

function tooLong(): Refusal {
  return new Refusal('MaxPostPreDataLengthExceeded', { extra: { MaxPostPreDataLengthBytes: String(FIELDS_LIMIT) } })
}
