import type { Readable } from 'node:stream'
import type { AnswerBody } from './answer-body.js'
import type { Fields } from '../s3/fields.js'
import type { AwsCredentials } from '../sigv4/types.js'

/** A request that is final: signed, never changed again. Always https. */
export interface UpstreamRequest {
  readonly method: string
  /** Host and port to connect to; the certificate is verified for this name. */
  readonly hostname: string
  readonly port: number
  /** The request-target exactly as signed: path, then `?query` where there is one. */
  readonly path: string
  /** Every header, `host` and `authorization` included, lower-case names. Values are byte strings (latin1). */
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly type: 'none' } | { readonly type: 'stream'; readonly stream: Readable }
}

/** The head of S3's answer, and its body as it streams in. The taker must read or destroy the body. */
export interface UpstreamResponse {
  readonly status: number
  readonly fields: Fields
  readonly body: AnswerBody
}

export type UpstreamFailureReason = 'connect' | 'tls' | 'reset' | 'timeout' | 'protocol' | 'aborted'

/** The upstream gave no answer. `sent` tells whether any byte of the body may have left. */
export class UpstreamFailure extends Error {
  readonly reason: UpstreamFailureReason
  readonly sent: boolean
  constructor(reason: UpstreamFailureReason, sent: boolean, cause: unknown) {
    super(`upstream: ${reason}`, { cause })
    this.name = 'UpstreamFailure'
    this.reason = reason
    this.sent = sent
  }
}

/**
 * Why nobody waits for an answer any more: an AbortSignal, or what a pipeline that makes one for each request can afford.
 */
export interface Cancellation {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * Sends one request and gives the head of its answer. Redirects are not followed. Aborting `signal` destroys the
 * upstream's side at once; an error of the body's stream does so too.
 * Rejects with {@link UpstreamFailure}, or with the error of the body's stream as it is.
 */
export type Transport = (request: UpstreamRequest, signal: Cancellation) => Promise<UpstreamResponse>

/** Credentials that are valid now, at once where they are held; refreshed before they expire. Rejects where there are none. */
export type CredentialSource = () => AwsCredentials | Promise<AwsCredentials>

/** Which region a bucket is in. */
export interface RegionDirectory {
  /** The region to sign for, `unknown` where it must first be asked for. */
  regionOf(bucket: string): string | 'unknown'
  learn(bucket: string, region: string): void
}
