import { Transform, type TransformCallback } from 'node:stream'
import { S3Error } from '../s3/error.js'

/**
 * Passes exactly `length` bytes; more or fewer are IncompleteBody. The piece that completes them is held back until the
 * body has ended: an upstream that had them all would keep an object of which the client is told that it failed.
 */
export function exactLength(length: number): Transform {
  let left = length
  let last: Buffer | null = null
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      if (chunk.length === 0) {
        callback()
        return
      }
      left -= chunk.length
      if (left < 0) {
        callback(new S3Error('IncompleteBody', { message: 'The body is longer than its declared length.' }))
        return
      }
      if (left > 0) {
        callback(null, chunk)
        return
      }
      last = chunk
      callback()
    },
    flush(callback) {
      if (left === 0) callback(null, last)
      else callback(new S3Error('IncompleteBody'))
    },
  })
}
