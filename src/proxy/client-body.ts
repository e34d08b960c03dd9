import type { IncomingMessage } from 'node:http'
import type { RequestRecord } from './record.js'
import { S3Error } from '../s3/error.js'
import { Transform, type Readable, type TransformCallback } from 'node:stream'

/**
 * The client's body as a stream of its own. A client that leaves before the end makes it fail with IncompleteBody; a
 * reader that gives up does not destroy the client's connection, which still has to carry the answer.
 */
export function clientBody(request: IncomingMessage, record: Pick<RequestRecord, 'bytesIn'>): Readable {
  const body = new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      record.bytesIn += chunk.length
      callback(null, chunk)
    },
  })
  const cutOff = () => {
    if (!request.complete) body.destroy(new S3Error('IncompleteBody'))
  }
  request.once('close', cutOff)
  request.once('error', cutOff)
  body.once('close', () => {
    request.off('close', cutOff)
    request.unpipe(body)
    request.on('error', () => undefined)
  })
  // Whoever reads the body hears of its errors; until somebody does, they must not end the process.
  body.on('error', () => undefined)
  request.pipe(body)
  return body
}
