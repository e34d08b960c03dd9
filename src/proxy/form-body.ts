import type { BodyStep, PieceSink } from '../sigv4/body-step.js'
import { scanFormFile } from '../s3/form-file.js'
import type { PostForm } from './messages.js'
import type { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { formEnd } from './form-parts.js'
import { steppedBody } from './stepped-body.js'
import { wholeBody } from './whole-body.js'

/** A form of at most so many bytes that has come as a whole is put together here, to go out in one write. */
const MAX_WHOLE_BYTES = 16 * 1024

/**
 * The body of the upstream's form: our head, the client's file as it comes, and an end of our own that makes up the length. The
 * end is the one thing that lets the upstream keep the object; it leaves, in one piece, only when the client's form has ended
 * and its file was found neither too long nor too short.
 *
 * @param boundary ours
 * @param length bytes of the whole body
 * @throws (on the stream) S3Error EntityTooLarge, EntityTooSmall, MalformedPOSTRequest, IncompleteBody
 */
export function formBody(form: PostForm, head: Buffer, boundary: string, length: number): Readable {
  const file = fileStep(form, (size) => formEnd(boundary, length - head.length - size))
  const begin = (out: PieceSink): void => {
    out(head)
    if (form.rest.length > 0) file.piece(form.rest, out)
  }
  if (form.rest.length < form.remaining || length > MAX_WHOLE_BYTES) return steppedBody(form.body, file, begin)
  return wholeBody(() => {
    const pieces: Buffer[] = []
    const keep = (bytes: Buffer): void => void pieces.push(bytes)
    try {
      begin(keep)
      void file.end(keep)
    } catch (error) {
      form.body.destroy()
      throw error
    }
    // Only its end is still to come.
    form.body.resume()
    return Buffer.concat(pieces)
  })
}

/** Takes the file out of the client's form. */
function fileStep({ boundary, range }: PostForm, end: (size: number) => Buffer): BodyStep {
  const scanner = scanFormFile(boundary)
  let size = 0
  return {
    piece(bytes, out) {
      for (const known of scanner.push(bytes)) {
        size += known.length
        if (size > range.max) throw tooLarge(size, range.max)
        out(known)
      }
    },
    end(out) {
      scanner.finish()
      if (size < range.min) {
        throw new S3Error('EntityTooSmall', {
          extra: { ProposedSize: String(size), MinSizeAllowed: String(range.min) },
        })
      }
      out(end(size))
      return undefined
    },
  }
}

function tooLarge(size: number, max: number): S3Error {
  return new S3Error('EntityTooLarge', { extra: { ProposedSize: String(size), MaxSizeAllowed: String(max) } })
}

/** Bytes that the upstream's form is longer than the client's behind the head: its boundary has a length of its own. */
export function lengthBehindHead({ remaining, boundary }: PostForm, ours: string): number {
  return remaining + ours.length - boundary.length
}
