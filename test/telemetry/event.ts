import type { RequestEvent } from '../../src/proxy/event.js'

/** A GetObject that went well. */
export const served: RequestEvent = {
  requestId: '0123456789ABCDEF',
  listener: 'https 0.0.0.0:8443',
  remoteAddress: '192.0.2.7',
  method: 'GET',
  operation: 'GetObject',
  identity: 'app',
  bucket: 'photos',
  objectKey: 'a/b c.jpg',
  status: 200,
  errorCode: 'none',
  reason: 'none',
  upstreamStatus: 200,
  upstreamRequestId: 'UP1',
  attempts: 1,
  keysRetried: 0,
  keyring: 'main',
  keyVersion: 'v1',
  bytesIn: 0,
  bytesOut: 1000,
  keyMs: 0.25,
  firstByteMs: 12.3456,
  totalMs: 40,
  outcome: 'complete',
}
