import type { ListenerInfo } from './handler.js'
import type { KeySource, RequestEvent, Stage } from './event.js'
import type { SignatureKind } from './signature-kind.js'
import type { UpstreamFailureReason, UpstreamResponse } from '../upstream/types.js'

/**
 * What is known of one request so far, filled in by the stages as they learn it; handle-request makes the one
 * completion event of it at the end.
 */
export interface RequestRecord {
  operation: string
  trace: RequestEvent['trace']
  identity: string
  identityClass: string
  bucket: string
  objectKey: string
  accessKeyId: string
  signature: SignatureKind
  versionId: string
  copySource: RequestEvent['copySource']
  deletes: RequestEvent['deletes']
  stage: Stage
  status: number
  errorCode: string
  reason: string
  failure: UpstreamFailureReason | 'none'
  upstreamStatus: number | 'none'
  upstreamRequestId: string
  attempts: number
  keysRetried: number
  keyring: string
  keyVersion: string
  keySource: KeySource
  sourceKeyring: string
  sourceKeyVersion: string
  bytesIn: number
  bytesOut: number
  authMs: number
  keyMs: number
  firstByteMs: number
  keyWaitMs: number
  upstreamMs: number
  outcome: RequestEvent['outcome']
  /** A customer key is being got, from now to `gotKey`. */
  seeksKey(): void
  gotKey(): void
  /** An attempt begins. */
  sends(): void
  answered(response: UpstreamResponse): void
  event(end: { readonly totalMs: number }): RequestEvent
}

/** A record of a request that has just arrived. `elapsed` gives milliseconds since then. */
export function newRecord(
  head: { readonly requestId: string; readonly remoteAddress: string; readonly method: string },
  listener: ListenerInfo,
  elapsed: () => number,
): RequestRecord {
  let soughtAt = 0
  let sentAt = 0
  return {
    operation: 'unknown',
    trace: 'none',
    identity: 'none',
    identityClass: 'none',
    bucket: 'none',
    accessKeyId: 'none',
    signature: 'none',
    objectKey: 'none',
    versionId: 'none',
    copySource: 'none',
    deletes: [],
    stage: 'parse',
    status: 499,
    errorCode: 'none',
    reason: 'none',
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
    bytesOut: 0,
    authMs: 0,
    keyMs: 0,
    firstByteMs: 0,
    keyWaitMs: 0,
    upstreamMs: 0,
    outcome: 'complete',
    seeksKey() {
      soughtAt = elapsed()
    },
    gotKey() {
      this.keyWaitMs += elapsed() - soughtAt
    },
    sends() {
      this.attempts += 1
      sentAt = elapsed()
    },
    answered(response) {
      this.firstByteMs = elapsed()
      this.upstreamMs = this.firstByteMs - sentAt
      this.upstreamStatus = response.status
      const versionId = response.fields.get('x-amz-version-id')
      if (versionId !== undefined) this.versionId = versionId
      this.upstreamRequestId = response.fields.get('x-amz-request-id') ?? 'none'
    },
    event({ totalMs }) {
      return {
        ...head,
        listener: listener.name,
        operation: this.operation,
        trace: this.trace,
        identity: this.identity,
        identityClass: this.identityClass,
        bucket: this.bucket,
        accessKeyId: this.accessKeyId,
        signature: this.signature,
        objectKey: this.objectKey,
        versionId: this.versionId,
        copySource: this.copySource,
        deletes: this.deletes,
        stage: this.stage,
        status: this.status,
        errorCode: this.errorCode,
        reason: this.reason,
        failure: this.failure,
        upstreamStatus: this.upstreamStatus,
        upstreamRequestId: this.upstreamRequestId,
        attempts: this.attempts,
        keysRetried: this.keysRetried,
        keyring: this.keyring,
        keyVersion: this.keyVersion,
        keySource: this.keySource,
        sourceKeyring: this.sourceKeyring,
        sourceKeyVersion: this.sourceKeyVersion,
        bytesIn: this.bytesIn,
        bytesOut: this.bytesOut,
        authMs: this.authMs,
        keyMs: this.keyMs,
        firstByteMs: this.firstByteMs,
        totalMs,
        keyWaitMs: this.keyWaitMs,
        upstreamMs: this.upstreamMs,
        outcome: this.outcome,
      }
    },
  }
}
