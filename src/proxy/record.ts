import type { KeySource, NamedObject, RequestEvent, Stage } from './event.js'
import type { ListenerInfo } from './handler.js'
import type { SignatureKind } from './signature-kind.js'
import type { UpstreamFailureReason, UpstreamResponse } from '../upstream/types.js'

const NO_OBJECTS: readonly NamedObject[] = []

/**
 * What is known of one request so far, filled in by the stages as they learn it. At its end it is the one completion event
 * itself: a class with every field from the start, because there is one of it for each request, and no copy.
 */
export class RequestRecord implements RequestEvent {
  readonly requestId: string
  readonly listener: string
  readonly remoteAddress: string
  readonly method: string
  operation = 'unknown'
  trace: RequestEvent['trace'] = 'none'
  identity = 'none'
  identityClass = 'none'
  bucket = 'none'
  accessKeyId = 'none'
  signature: SignatureKind = 'none'
  objectKey = 'none'
  versionId = 'none'
  copySource: RequestEvent['copySource'] = 'none'
  deletes: RequestEvent['deletes'] = NO_OBJECTS
  stage: Stage = 'parse'
  status = 499
  errorCode = 'none'
  reason = 'none'
  failure: UpstreamFailureReason | 'none' = 'none'
  upstreamStatus: number | 'none' = 'none'
  upstreamRequestId = 'none'
  attempts = 0
  keysRetried = 0
  keyring = 'none'
  keyVersion = 'none'
  keySource: KeySource = 'none'
  sourceKeyring = 'none'
  sourceKeyVersion = 'none'
  bytesIn = 0
  bytesOut = 0
  authMs = 0
  keyMs = 0
  firstByteMs = 0
  totalMs = 0
  keyWaitMs = 0
  upstreamMs = 0
  outcome: RequestEvent['outcome'] = 'complete'
  // Private by name, not by TypeScript alone: whoever copies or prints an event has its fields only.
  readonly #elapsed: () => number
  #sentAt = 0

  /** Of a request that has just arrived. `elapsed` gives milliseconds since then. */
  constructor(
    head: { readonly requestId: string; readonly remoteAddress: string; readonly method: string },
    listener: ListenerInfo,
    elapsed: () => number,
  ) {
    this.requestId = head.requestId
    this.listener = listener.name
    this.remoteAddress = head.remoteAddress
    this.method = head.method
    this.#elapsed = elapsed
  }

  /** Counts the time in which a customer key is not there. Keys in memory are there at once, and nobody waits for them. */
  async waitForKey<T>(key: Promise<T>): Promise<T> {
    const soughtAt = this.#elapsed()
    try {
      return await key
    } finally {
      this.keyWaitMs += this.#elapsed() - soughtAt
    }
  }

  /** An attempt begins. */
  sends(): void {
    this.attempts += 1
    this.#sentAt = this.#elapsed()
  }

  answered(response: UpstreamResponse): void {
    this.firstByteMs = this.#elapsed()
    this.upstreamMs = this.firstByteMs - this.#sentAt
    this.upstreamStatus = response.status
    const versionId = response.fields.get('x-amz-version-id')
    if (versionId !== undefined) this.versionId = versionId
    this.upstreamRequestId = response.fields.get('x-amz-request-id') ?? 'none'
  }

  /** Called last. Whoever is told of the event keeps a copy of what it wants to keep. */
  event({ totalMs }: { readonly totalMs: number }): RequestEvent {
    this.totalMs = totalMs
    return this
  }
}

export const newRecord = (
  head: { readonly requestId: string; readonly remoteAddress: string; readonly method: string },
  listener: ListenerInfo,
  elapsed: () => number,
): RequestRecord => new RequestRecord(head, listener, elapsed)
