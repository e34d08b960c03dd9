import type { SignatureKind } from './signature-kind.js'
import type { TraceContext } from './trace-context.js'
import type { UpstreamFailureReason } from '../upstream/types.js'

/** How far a request came in the pipeline; `listener` where it never got to it. */
export type Stage =
  | 'listener'
  | 'parse'
  | 'authenticate'
  | 'classify'
  | 'authorize'
  | 'resolve-keys'
  | 'rewrite'
  | 'forward'
  | 'check-answer'
  | 'respond'

/** An object as a request names it; without `versionId` its latest version. */
export interface NamedObject {
  readonly objectKey: string
  readonly versionId?: string
}

/** Whose the customer key was that went with the request; `plain`: none, where the operation could have one. */
export type KeySource = 'keyring' | 'client' | 'plain' | 'none'

/** What became of one request: the one completion event, made last, whatever happened. No secret is in it. */
export interface RequestEvent {
  readonly requestId: string
  /** The trace that the caller says the request belongs to. */
  readonly trace: TraceContext | 'none'
  readonly listener: string
  readonly remoteAddress: string
  readonly method: string
  /** S3's operation name; `unknown` where the request was refused before it was classified. */
  readonly operation: string
  readonly identity: string | 'none'
  /** What the configuration counts the identity among; bounded, so that it can be a label of metrics. */
  readonly identityClass: string | 'none'
  /** The access key that the caller proved, or claimed where the proof failed and S3's error names it. */
  readonly accessKeyId: string | 'none'
  readonly signature: SignatureKind
  readonly bucket: string | 'none'
  readonly objectKey: string | 'none'
  /** The version that the answer names, or the request. */
  readonly versionId: string | 'none'
  readonly copySource: (NamedObject & { readonly bucket: string }) | 'none'
  /** What a batch delete names. */
  readonly deletes: readonly NamedObject[]
  /** The stage that refused the request, or the last one that it came to. */
  readonly stage: Stage
  /** Status sent to the client; 499 where the client left before any was sent. */
  readonly status: number
  /** The S3 error code of an answer of the proxy's own, or of the upstream's where it was read. */
  readonly errorCode: string | 'none'
  /** Why, in one line, for the log. */
  readonly reason: string | 'none'
  /** Why the upstream gave no answer, or not all of it. */
  readonly failure: UpstreamFailureReason | 'none'
  readonly upstreamStatus: number | 'none'
  readonly upstreamRequestId: string | 'none'
  /** Requests sent to the upstream for this one. */
  readonly attempts: number
  /** How often it was sent again because another customer key, or none, might fit. */
  readonly keysRetried: number
  readonly keyring: string | 'none'
  readonly keyVersion: string | 'none' | 'plain'
  readonly keySource: KeySource
  /** Of a copy's source. */
  readonly sourceKeyring: string | 'none'
  readonly sourceKeyVersion: string | 'none'
  /** body bytes */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Milliseconds since the request's head: until the caller was proven, the key was there, the upstream's head, the end. */
  readonly authMs: number
  readonly keyMs: number
  readonly firstByteMs: number
  readonly totalMs: number
  /** Milliseconds in which a customer key was waited for, all attempts together; 0 where they are in memory. */
  readonly keyWaitMs: number
  /** Milliseconds from the start of the last attempt to the upstream's head. */
  readonly upstreamMs: number
  readonly outcome: 'complete' | 'refused' | 'client-gone' | 'upstream-failed' | 'encryption-unproven'
}

/** Where events go: the log and the metrics. Called once a request; must not throw. */
export type RequestObserver = (event: RequestEvent) => void
