import { isUtf8 } from 'node:buffer'
import { S3Error } from './error.js'
import { malformedForm } from './form-error.js'
import { parseFormPart } from './form-part.js'

/** Everything before the content of a form's file. */
export interface FormHead {
  /** By lower-case name, in the order in which they came; text. */
  readonly fields: ReadonlyMap<string, string>
  /** The file's name as sent, path and all; `none` where the part named `file` has none. */
  readonly filename: string | 'none'
  /** bytes up to the file's first */
  readonly size: number
}

export type HeadProgress =
  | { readonly type: 'more' }
  /** `rest`: what came behind the head, the first bytes of the file and perhaps of what follows it. */
  | { readonly type: 'head'; readonly head: FormHead; readonly rest: Buffer }

/** S3 takes so many bytes of fields before the file. */
const MAX_FIELDS_BYTES = 20_480
/** What the header of the file's part may take beside them. */
const MAX_HEAD_BYTES = MAX_FIELDS_BYTES + 4096
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const HEADER_END = Buffer.from('\r\n\r\n')

/**
 * Reads a form up to its file, piece by piece, in linear time and bounded memory however small the pieces are.
 *
 * @returns takes the next piece; throws S3Error MalformedPOSTRequest, MaxPostPreDataLengthExceeded,
 *   InvalidArgument (no file, a field twice, or not UTF-8)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
 */
export function readFormHead(boundary: string): (piece: Buffer) => HeadProgress {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const first = delimiter.subarray(2)
  const fields = new Map<string, string>()
  /** All of the form so far, at most MAX_HEAD_BYTES: a view of the only piece, or the pieces gathered. */
  let known: Buffer = Buffer.alloc(0)
  let gathered: Buffer | 'none' = 'none'
  let state: 'start' | 'header' | 'value' = 'start'
  let partStart = 0
  /** Nothing that is looked for begins before here. */
  let scanned = 0
  let name = ''

  /** One step; `stuck` where more bytes are needed. */
  function step(): 'on' | 'stuck' | { readonly filename: string } {
    if (state === 'start') {
      const preamble = known[0] === 0x0d && known[1] === 0x0a ? 2 : 0
      if (known.length < preamble + first.length + 2) return 'stuck'
      if (!known.subarray(preamble, preamble + first.length).equals(first)) {
        throw malformedForm('It does not begin with the boundary.')
      }
      return afterDelimiter(preamble + first.length)
    }
    if (state === 'header') {
      const end = known.indexOf(HEADER_END, scanned)
      if (end < 0) {
        scanned = Math.max(partStart, known.length - HEADER_END.length + 1)
        return 'stuck'
      }
      const part = parseFormPart(known.subarray(partStart, end))
      partStart = scanned = end + HEADER_END.length
      if (part.name === 'file') return { filename: part.filename }
      if (fields.has(part.name)) throw twice(part.name)
      name = part.name
      state = 'value'
      return 'on'
    }
    const end = known.indexOf(delimiter, scanned)
    if (end < 0) {
      scanned = Math.max(partStart, known.length - delimiter.length + 1)
      return 'stuck'
    }
    const behind = end + delimiter.length
    if (known.length < behind + 2) {
      scanned = end
      return 'stuck'
    }
    if (!isDelimiterEnd(known, behind)) {
      scanned = end + 1
      return 'on'
    }
    fields.set(name, text(name, known.subarray(partStart, end)))
    return afterDelimiter(behind)
  }

  function afterDelimiter(at: number): 'on' {
    if (!isDelimiterEnd(known, at)) throw malformedForm('A boundary is not followed by a line end.')
    if (known[at] === 0x2d) throw noFile()
    if (at > MAX_FIELDS_BYTES) throw tooLong()
    partStart = scanned = at + 2
    state = 'header'
    return 'on'
  }

  /** @returns how much of the piece there was room for */
  function take(piece: Buffer): number {
    if (known.length === 0) {
      known = piece.subarray(0, MAX_HEAD_BYTES)
      return known.length
    }
    if (gathered === 'none') {
      gathered = Buffer.allocUnsafe(MAX_HEAD_BYTES)
      known.copy(gathered)
    }
    const taken = piece.copy(gathered, known.length)
    known = gathered.subarray(0, known.length + taken)
    return taken
  }

  return (piece) => {
    const taken = take(piece)
    for (;;) {
      const outcome = step()
      if (outcome === 'on') continue
      if (outcome === 'stuck') {
        if (known.length === MAX_HEAD_BYTES) throw tooLong()
        return { type: 'more' }
      }
      const rest =
        gathered === 'none'
          ? piece.subarray(partStart)
          : Buffer.concat([known.subarray(partStart), piece.subarray(taken)])
      return { type: 'head', head: { fields, filename: outcome.filename, size: partStart }, rest }
    }
  }
}

/** A boundary is one only with CRLF or `--` behind it: another that begins with it is content. */
function isDelimiterEnd(bytes: Buffer, at: number): boolean {
  const [first, second] = [bytes[at], bytes[at + 1]]
  return (first === 0x0d && second === 0x0a) || (first === 0x2d && second === 0x2d)
}

function text(name: string, value: Buffer): string {
  if (isUtf8(value)) return value.toString('utf8')
  try {
    return UTF8.decode(value)
  } catch (cause) {
    throw new S3Error('InvalidArgument', {
      message: `The form field ${name.slice(0, 128)} is not valid UTF-8.`,
      extra: { ArgumentName: name.slice(0, 128) },
      cause,
    })
  }
}

/** S3 documents IncorrectNumberOfFilesInPostRequest for it, and answers with this. */
function noFile(): S3Error {
  return new S3Error('InvalidArgument', {
    message: 'POST requires exactly one file upload per request.',
    extra: { ArgumentName: 'file', ArgumentValue: '0' },
  })
}

function twice(name: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: `The form field ${name.slice(0, 128)} occurs more than once. Send it once.`,
    extra: { ArgumentName: name.slice(0, 128) },
  })
}

function tooLong(): S3Error {
  return new S3Error('MaxPostPreDataLengthExceeded', {
    extra: { MaxPostPreDataLengthBytes: String(MAX_FIELDS_BYTES) },
  })
}
