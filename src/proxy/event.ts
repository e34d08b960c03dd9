/** What became of one request: the one completion event, made last, whatever happened. No secret is in it. */
export interface RequestEvent {
  readonly requestId: string
  readonly listener: string
  readonly remoteAddress: string
  readonly method: string
  /** S3's operation name; `unknown` where the request was refused before it was classified. */
  readonly operation: string
  readonly identity: string | 'none'
  readonly bucket: string | 'none'
  readonly objectKey: string | 'none'
  /** Status sent to the client; 499 where the client left before any was sent. */
  readonly status: number
  /** The S3 error code of an answer of the proxy's own, or of the upstream's where it was read. */
  readonly errorCode: string | 'none'
  /** Why, in one line, for the log. */
  readonly reason: string | 'none'
  readonly upstreamStatus: number | 'none'
  readonly upstreamRequestId: string | 'none'
  /** Requests sent to the upstream for this one. */
  readonly attempts: number
  /** How often it was sent again because another customer key, or none, might fit. */
  readonly keysRetried: number
  readonly keyring: string | 'none'
  readonly keyVersion: string | 'none' | 'plain'
  /** body bytes */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Milliseconds since the request's head: until the key was there, until the upstream's head, until the end. */
  readonly keyMs: number
  readonly firstByteMs: number
  readonly totalMs: number
  readonly outcome: 'complete' | 'refused' | 'client-gone' | 'upstream-failed' | 'encryption-unproven'
}

/** Where events go: the log and the metrics. Called once a request; must not throw. */
export type RequestObserver = (event: RequestEvent) => void
