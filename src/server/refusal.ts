import type { ListenerInfo } from '../proxy/handler.js'
import type { RequestEvent } from '../proxy/event.js'
import type { S3Error } from '../s3/error.js'
import { dateLine, statusLine } from './lean/answer-head.js'
import { errorDocument } from '../s3/error-document.js'
import { randomBytes } from 'node:crypto'

/** An answer that a listener gives by itself, before the pipeline has seen a request. It closes the connection. */
export interface Refusal {
  readonly requestId: string
  readonly error: S3Error
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function refusal(error: S3Error, resource: string): Refusal {
  const requestId = randomBytes(8).toString('hex').toUpperCase()
  const body = errorDocument(error, { resource, requestId })
  const headers = {
    connection: 'close',
    'content-type': 'application/xml',
    'content-length': String(Buffer.byteLength(body)),
    'x-amz-request-id': requestId,
    ...(error.status === 503 ? { 'retry-after': '1' } : {}),
  }
  return { requestId, error, headers, body }
}

/** As it goes over the wire; there may be no request that it would be the response to. */
export function refusalText({ error, headers, body }: Refusal, method: string): string {
  let text = `${statusLine(error.status)}${dateLine()}`
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
  return `${text}\r\n${method === 'HEAD' ? '' : body}`
}

export function refusalEvent(
  { error, requestId, body }: Refusal,
  about: { readonly listener: ListenerInfo; readonly remoteAddress: string; readonly method: string },
): RequestEvent {
  return {
    requestId,
    listener: about.listener.name,
    remoteAddress: about.remoteAddress,
    method: about.method,
    operation: 'unknown',
    trace: 'none',
    identity: 'none',
    identityClass: 'none',
    accessKeyId: 'none',
    signature: 'none',
    bucket: 'none',
    objectKey: 'none',
    versionId: 'none',
    copySource: 'none',
    deletes: [],
    stage: 'listener',
    status: error.status,
    errorCode: error.code,
    reason: error.cause instanceof Error ? error.cause.message : error.message,
    failure: 'none',
    upstreamStatus: 'none',
    upstreamRequestId: 'none',
    attempts: 0,
    keysRetried: 0,
    keyring: 'none',
    keyVersion: 'none',
    keySource: 'none',
    sourceKeyring: 'none',
    sourceKeyVersion: 'none',
    bytesIn: 0,
    bytesOut: about.method === 'HEAD' ? 0 : Buffer.byteLength(body),
    authMs: 0,
    keyMs: 0,
    firstByteMs: 0,
    totalMs: 0,
    keyWaitMs: 0,
    upstreamMs: 0,
    outcome: 'refused',
  }
}
