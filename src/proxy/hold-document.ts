import { Transform, type TransformCallback } from 'node:stream'

/** Documents that are held to be rewritten as a whole: ListParts of 1000 parts is below 1 MiB. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024

/**
 * Holds a small document and rewrites it as a whole. The spaces in front, with which S3 keeps a connection while it copies,
 * pass as they come.
 */
export function rewriteDocument(rewrite: (document: Buffer) => Buffer): Transform {
  const held: Buffer[] = []
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      const start = size > 0 ? 0 : firstOf(chunk)
      if (start > 0) this.push(chunk.subarray(0, start))
      held.push(chunk.subarray(start))
      size += chunk.length - start
      callback(size > MAX_DOCUMENT_BYTES ? new Error('a document of the upstream is too long') : null)
    },
    flush(callback) {
      callback(null, rewrite(Buffer.concat(held)))
    },
  })
}

/** Where what is not white space begins. */
function firstOf(chunk: Buffer): number {
  const first = chunk.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return first < 0 ? chunk.length : first
}
