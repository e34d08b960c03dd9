import { scanFormFile } from '../s3/form-file.js'
import { Readable } from 'node:stream'
import type { PostForm } from './messages.js'
import { S3Error } from '../s3/error.js'
import { formEnd } from './form-parts.js'

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
  return Readable.from(pieces(form, head, boundary, length), { objectMode: false })
}

async function* pieces(form: PostForm, head: Buffer, boundary: string, length: number): AsyncGenerator<Buffer> {
  const { range, body } = form
  const scanner = scanFormFile(form.boundary)
  let size = 0
  yield head
  for await (const piece of clientPieces(form)) {
    for (const bytes of scanner.push(piece)) {
      size += bytes.length
      if (size > range.max) throw tooLarge(size, range.max)
      yield bytes
    }
  }
  if (body.errored !== null) throw body.errored
  scanner.finish()
  if (size < range.min) {
    throw new S3Error('EntityTooSmall', { extra: { ProposedSize: String(size), MinSizeAllowed: String(range.min) } })
  }
  yield formEnd(boundary, length - head.length - size)
}

async function* clientPieces({ rest, body }: PostForm): AsyncGenerator<Buffer> {
  if (rest.length > 0) yield rest
  for await (const piece of body as AsyncIterable<Buffer>) yield piece
}

function tooLarge(size: number, max: number): S3Error {
  return new S3Error('EntityTooLarge', { extra: { ProposedSize: String(size), MaxSizeAllowed: String(max) } })
}

/** Bytes that the upstream's form is longer than the client's behind the head: its boundary has a length of its own. */
export function lengthBehindHead({ remaining, boundary }: PostForm, ours: string): number {
  return remaining + ours.length - boundary.length
}
