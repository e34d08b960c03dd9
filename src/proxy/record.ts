import type { ListenerInfo } from './handler.js'
import type { RequestEvent } from './event.js'
import type { UpstreamResponse } from '../upstream/types.js'

/**
 * What is known of one request so far, filled in by the stages as they learn it; handle-request makes the one
 * completion event of it at the end.
 */
export interface RequestRecord {
  operation: string
  identity: string
  bucket: string
  objectKey: string
  status: number
  errorCode: string
  reason: string
  upstreamStatus: number | 'none'
  upstreamRequestId: string
  attempts: number
  keysRetried: number
  keyring: string
  keyVersion: string
  bytesIn: number
  bytesOut: number
  keyMs: number
  firstByteMs: number
  outcome: RequestEvent['outcome']
  answered(response: UpstreamResponse): void
  event(end: { readonly totalMs: number }): RequestEvent
}

/** A record of a request that has just arrived. `elapsed` gives milliseconds since then. */
export function newRecord(
  head: { readonly requestId: string; readonly remoteAddress: string; readonly method: string },
  listener: ListenerInfo,
  elapsed: () => number,
): RequestRecord {
  return {
    operation: 'unknown',
    identity: 'none',
    bucket: 'none',
    objectKey: 'none',
    status: 499,
    errorCode: 'none',
    reason: 'none',
    upstreamStatus: 'none',
    upstreamRequestId: 'none',
    attempts: 0,
    keysRetried: 0,
    keyring: 'none',
    keyVersion: 'none',
    bytesIn: 0,
    bytesOut: 0,
    keyMs: 0,
    firstByteMs: 0,
    outcome: 'complete',
    answered(response) {
      this.firstByteMs = elapsed()
      this.upstreamStatus = response.status
      this.upstreamRequestId = response.fields.get('x-amz-request-id') ?? 'none'
    },
    event({ totalMs }) {
      return {
        ...head,
        listener: listener.name,
        operation: this.operation,
        identity: this.identity,
        bucket: this.bucket,
        objectKey: this.objectKey,
        status: this.status,
        errorCode: this.errorCode,
        reason: this.reason,
        upstreamStatus: this.upstreamStatus,
        upstreamRequestId: this.upstreamRequestId,
        attempts: this.attempts,
        keysRetried: this.keysRetried,
        keyring: this.keyring,
        keyVersion: this.keyVersion,
        bytesIn: this.bytesIn,
        bytesOut: this.bytesOut,
        keyMs: this.keyMs,
        firstByteMs: this.firstByteMs,
        totalMs,
        outcome: this.outcome,
      }
    },
  }
}
