import type { ClientRequest } from './handler.js'
import type { Readable } from 'node:stream'
import type { RequestRecord } from './record.js'

/** The client's body, the listener's own stream, whose bytes are counted as its reader gets them. It flows when that reader says so. */
export function clientBody(request: ClientRequest, record: Pick<RequestRecord, 'bytesIn'>): Readable {
  const body = request.openBody()
  // Paused before somebody listens: the first listener for data would set it going, with no reader there yet.
  body.pause().on('data', (bytes: Buffer) => {
    record.bytesIn += bytes.length
  })
  // Whoever reads the body hears of its errors; until somebody does, they must not end the process.
  return body.on('error', () => undefined)
}
