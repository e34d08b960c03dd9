import type { Fields } from '../s3/fields.js'
import type { Query } from './encoding.js'
import type { BucketState, ObjectVersion, State } from './model.js'
import type { Payload } from './payload.js'

/** One verified request. */
export interface Call {
  readonly state: State
  readonly requestId: string
  /** Whose signature it has. */
  readonly accessKeyId: string
  /** Whether it came over TLS. */
  readonly secure: boolean
  readonly method: string
  readonly query: Query
  readonly fields: Fields
  /** Starts the body; answers 100 Continue where the client waits for it. At most once. */
  readonly openBody: () => Payload
}

export type ServiceCall = Call
/** A call on a bucket; for CreateBucket alone it does not exist yet. */
export interface NewBucketCall extends Call {
  readonly bucketName: string
}
export interface BucketCall extends NewBucketCall {
  readonly bucket: BucketState
}
export interface ObjectCall extends BucketCall {
  readonly objectKey: string
}

export type AnswerBody =
  | { readonly type: 'none' }
  | { readonly type: 'xml'; readonly text: string }
  | { readonly type: 'bytes'; readonly size: number; readonly bytes: Iterable<Buffer> }

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AnswerBody
}

export const NO_BODY: AnswerBody = { type: 'none' }

export function xmlAnswer(text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers, body: { type: 'xml', text } }
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: NO_BODY }
}

/** An ETag as headers and documents show it. */
export function quoted(state: State, etag: string): string {
  return `"${state.faults.rewriteEtag(etag)}"`
}

/** S3's seconds resolution in headers. */
export function httpDate(date: Date): string {
  return date.toUTCString()
}

/** S3's form in documents: milliseconds are always zero for objects. */
export function isoDate(date: Date): string {
  return `${date.toISOString().slice(0, 19)}.000Z`
}

/** `x-amz-version-id` where the bucket has or had versioning. */
export function versionHeader(bucket: BucketState, version: Pick<ObjectVersion, 'versionId'>): Record<string, string> {
  return bucket.versioning === 'never' ? {} : { 'x-amz-version-id': version.versionId }
}
