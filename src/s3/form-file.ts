import { malformedForm } from './form-error.js'

/** Finds the end of a form's file. */
export interface FileScanner {
  /** Takes the next piece and gives what of it, and of bytes held back before, certainly is the file's. */
  push(piece: Buffer): readonly Buffer[]
  /** The body has ended. @throws S3Error MalformedPOSTRequest where the form has not */
  finish(): void
}

/** Room for a submit button or two behind the file, which S3 ignores; not for a second file. */
const MAX_REST_BYTES = 64 * 1024

const NOTHING = Buffer.alloc(0)

/**
 * Scans for the boundary that ends the file, wherever pieces are cut. It must be followed by CRLF or `--`; any other bytes
 * behind it make it content, as nested forms whose boundary begins with this one need. What comes behind the file is
 * read up to the form's end and thrown away.
 */
export function scanFormFile(boundary: string): FileScanner {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const close = Buffer.from(`\r\n--${boundary}--`, 'latin1')
  let state: 'file' | 'rest' | 'closed' = 'file'
  let held: Buffer = NOTHING
  let rest = 0

  function inFile(data: Buffer): readonly Buffer[] {
    for (let from = 0; ;) {
      const at = data.indexOf(delimiter, from)
      if (at < 0) return keep(data, data.length - beginning(data, delimiter))
      const behind = data.subarray(at + delimiter.length, at + delimiter.length + 2).toString('latin1')
      if (behind === '--' || behind === '\r\n') {
        state = 'rest'
        inRest(data.subarray(at))
        return at === 0 ? [] : [data.subarray(0, at)]
      }
      if (behind === '' || behind === '-' || behind === '\r') return keep(data, at)
      from = at + 1
    }
  }

  function keep(data: Buffer, known: number): readonly Buffer[] {
    held = data.subarray(known)
    return known === 0 ? [] : [data.subarray(0, known)]
  }

  function inRest(piece: Buffer): void {
    rest += piece.length
    if (rest > MAX_REST_BYTES)
      throw malformedForm(`More than ${MAX_REST_BYTES} bytes follow the file: it must be the last field.`)
    if (state === 'closed') return
    const data = Buffer.concat([held, piece])
    if (data.includes(close)) state = 'closed'
    held = state === 'closed' ? NOTHING : data.subarray(Math.max(0, data.length - close.length + 1))
  }

  return {
    push(piece) {
      if (state !== 'file') {
        inRest(piece)
        return []
      }
      const data = held.length === 0 ? piece : Buffer.concat([held, piece])
      held = NOTHING
      return inFile(data)
    },
    finish() {
      if (state !== 'closed') throw malformedForm('It ends before its last boundary.')
    },
  }
}

/** How many of the last bytes may be the delimiter's first. It has one CR, its first byte, so that one place can fit. */
function beginning(data: Buffer, delimiter: Buffer): number {
  const at = data.lastIndexOf(0x0d)
  const length = data.length - at
  return at >= 0 && length < delimiter.length && delimiter.subarray(0, length).equals(data.subarray(at)) ? length : 0
}
