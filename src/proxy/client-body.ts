import type { ClientRequest } from './handler.js'
import type { RequestRecord } from './record.js'
import { Transform, type Readable, type TransformCallback } from 'node:stream'

/** The client's body, counted. */
export function clientBody(request: ClientRequest, record: Pick<RequestRecord, 'bytesIn'>): Readable {
  const body = request.openBody()
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      record.bytesIn += chunk.length
      callback(null, chunk)
    },
  })
  body.once('error', (error) => counted.destroy(error))
  counted.once('close', () => body.destroy())
  counted.on('error', () => undefined)
  body.pipe(counted)
  return counted
}
