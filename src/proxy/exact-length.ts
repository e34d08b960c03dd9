import { Transform, type TransformCallback } from 'node:stream'
import { S3Error } from '../s3/error.js'

/** Passes exactly `length` bytes; more or fewer are IncompleteBody, and more never pass. */
export function exactLength(length: number): Transform {
  let left = length
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      left -= chunk.length
      if (left < 0) callback(new S3Error('IncompleteBody', { message: 'The body is longer than its declared length.' }))
      else callback(null, chunk)
    },
    flush(callback) {
      callback(left === 0 ? null : new S3Error('IncompleteBody'))
    },
  })
}
