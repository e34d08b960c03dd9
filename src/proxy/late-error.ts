import { Transform, type TransformCallback } from 'node:stream'
import { MAX_ERROR_BYTES } from './hold-answer.js'

/**
 * Operations that S3 begins to answer with 200 before it knows how they end: spaces keep the connection, and what
 * follows them may be an error document.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
const LATE = new Set(['CompleteMultipartUpload', 'CopyObject', 'UploadPartCopy'])

export const mayFailLate = ({ name }: { readonly name: string }): boolean => LATE.has(name)

/** Whether a document that is there as a whole is S3's error document. */
export function isErrorDocument(bytes: Buffer): boolean {
  const { verdict } = readStart(bytes, 'last')
  return verdict === 'error'
}

/**
 * Passes the answer on as it streams, spaces and all; only an error document is held until its end and given to
 * `judge`, whose answer goes on in its place.
 */
export function watchForError(judge: (document: Buffer) => Buffer): Transform {
  let verdict: Verdict = 'undecided'
  let held: Buffer = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      if (verdict === 'fine') {
        callback(null, chunk)
        return
      }
      held = Buffer.concat([held, chunk]).subarray(0, MAX_ERROR_BYTES)
      if (verdict === 'error') {
        callback()
        return
      }
      const start = readStart(held, 'more')
      verdict = start.verdict
      const pass = verdict === 'fine' ? held.length : start.at
      const passed = held.subarray(0, pass)
      held = held.subarray(pass)
      callback(null, passed)
    },
    flush(callback) {
      callback(null, verdict === 'error' ? judge(held) : held)
    },
  })
}

type Verdict = 'undecided' | 'error' | 'fine'

const SPACES = [0x20, 0x09, 0x0a, 0x0d]
const ERROR = '<Error'
/** UTF-8's byte order mark, as latin1. */
const MARK = '\xef\xbb\xbf'
/** An XML declaration or a comment of a store has no more than this. */
const MAX_DECLARATION = 1024
/** What may stand in front of the root element, and how each of them ends. */
const PROLOGUE = [
  ['<?', '?>'],
  ['<!--', '-->'],
] as const

/**
 * Reads over a byte order mark, spaces, the XML declaration and comments to the root element; `at` is how far that is
 * decided. A DTD no store sends, and none is read.
 */
function readStart(bytes: Buffer, end: 'more' | 'last'): { readonly verdict: Verdict; readonly at: number } {
  let at = 0
  for (;;) {
    while (SPACES.includes(bytes[at] ?? 0)) at += 1
    const rest = bytes.subarray(at, at + MAX_DECLARATION).toString('latin1')
    const part = PROLOGUE.find(([open]) => rest.startsWith(open))
    if (part !== undefined) {
      const [open, shut] = part
      const close = rest.indexOf(shut, open.length)
      if (close < 0) return { verdict: rest.length < MAX_DECLARATION ? 'undecided' : 'fine', at }
      at += close + shut.length
    } else if (at === 0 && rest.startsWith(MARK)) {
      at += MARK.length
    } else if (end === 'more' && (MARK.startsWith(rest) || '<!--'.startsWith(rest))) {
      return { verdict: 'undecided', at }
    } else if (rest.length <= ERROR.length && `${ERROR}>`.startsWith(rest)) {
      return { verdict: end === 'more' ? 'undecided' : 'fine', at }
    } else {
      return { verdict: /^<Error[\s/>]/.test(rest) ? 'error' : 'fine', at }
    }
  }
}
