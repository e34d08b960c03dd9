import type { BodyStep } from '../sigv4/body-step.js'
import { S3Error } from '../s3/error.js'

/**
 * Passes exactly `length` bytes; more or fewer are IncompleteBody. The piece that completes them is held back until the
 * body has ended: an upstream that had them all would keep an object of which the client is told that it failed.
 */
export function exactLength(length: number): BodyStep {
  let left = length
  let last: Buffer | 'none' = 'none'
  return {
    piece(bytes, out) {
      if (bytes.length === 0) return
      left -= bytes.length
      if (left < 0) throw new S3Error('IncompleteBody', { message: 'The body is longer than its declared length.' })
      if (left > 0) out(bytes)
      else last = bytes
    },
    end(out) {
      if (left !== 0) throw new S3Error('IncompleteBody')
      if (last !== 'none') out(last)
      return undefined
    },
  }
}
