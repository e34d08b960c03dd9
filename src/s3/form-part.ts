import { trimBlanks } from './fields.js'
import { malformedForm } from './form-error.js'

/** What the header of one part of a form says. */
export interface FormPart {
  /** lower-case: S3 takes the names of fields in any case */
  readonly name: string
  /** as sent, whole path; `none` where the part is no file */
  readonly filename: string | 'none'
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/
/** A backslash quotes only a quote: browsers send paths of Windows and escape nothing else. */
const PARAMETER = /^[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\"|\\(?!"))*)"|([^\s;"]+))/
/** RFC 7578 (4.7) has let go of transfer encodings; those that change nothing are still sent. */
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary']

/** How browsers and libraries write a part's header when nothing in it is out of the ordinary; read at once. */
const USUAL =
  /^Content-Disposition: form-data; name="([ !#-[\]-~]+)"(?:; filename="([ !#-[\]-~]*)")?(?:\r\nContent-Type: [ -~]*)?$/

/**
 * Reads a part's header, UTF-8 without its empty last line.
 *
 * @throws S3Error MalformedPOSTRequest
 * @see https://www.rfc-editor.org/rfc/rfc7578#section-4
 */
export function parseFormPart(header: Buffer): FormPart {
  const usual = USUAL.exec(header.toString('latin1'))
  if (usual !== null) return { name: (usual[1] as string).toLowerCase(), filename: usual[2] ?? 'none' }
  const fields = new Map<string, string>()
  for (const line of decode(header).split('\r\n')) {
    const [, name, value] = LINE.exec(line) ?? []
    if (name === undefined || value === undefined || CONTROL.test(line)) {
      throw malformedForm("A line of a part's header cannot be read.")
    }
    if (fields.has(name.toLowerCase())) throw malformedForm(`A part has more than one ${name}.`)
    fields.set(name.toLowerCase(), trimBlanks(value))
  }
  const encoding = fields.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!PLAIN_ENCODINGS.includes(encoding)) throw malformedForm('Content-Transfer-Encoding must be left out.')
  return parseDisposition(fields.get('content-disposition') ?? '')
}

function parseDisposition(value: string): FormPart {
  const parameters = new Map<string, string>()
  let rest = value.replace(/^form-data/i, '')
  if (rest.length === value.length) throw malformedForm('A part has no Content-Disposition: form-data.')
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest)
    if (parameter === null) throw malformedForm('A Content-Disposition cannot be read.')
    const [whole, name = '', quoted, token] = parameter
    if (parameters.has(name.toLowerCase())) throw malformedForm(`A Content-Disposition has ${name} twice.`)
    parameters.set(name.toLowerCase(), quoted?.replaceAll('\\"', '"') ?? token ?? '')
    rest = rest.slice(whole.length).replace(/^[ \t;]+$/, '')
  }
  const name = parameters.get('name')
  if (name === undefined || name === '') throw malformedForm('A part has no name.')
  const extended = parameters.get('filename*')
  const filename = parameters.get('filename') ?? (extended === undefined ? undefined : parseExtended(extended))
  return { name: name.toLowerCase(), filename: filename ?? 'none' }
}

/** `UTF-8''na%C3%AFve.txt` (RFC 8187), which old HTTP libraries send in place of `filename`. */
function parseExtended(value: string): string {
  const [, encoded] = /^utf-8'[^']*'((?:[!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-Fa-f]{2})+)$/i.exec(value) ?? []
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded)
  } catch {
    // falls through: not UTF-8
  }
  throw malformedForm('A filename* cannot be read.')
}

function decode(header: Buffer): string {
  try {
    return UTF8.decode(header)
  } catch {
    throw malformedForm("A part's header is not UTF-8.")
  }
}
