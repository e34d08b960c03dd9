import type { Fields } from '../s3/fields.js'

/** A request as it arrived, before anything was checked. */
export interface SeenRequest {
  readonly requestId: string
  readonly secure: boolean
  readonly method: string
  /** The request-target as sent, a byte string. */
  readonly target: string
  /** Names and values as sent, in turns. */
  readonly rawHeaders: readonly string[]
  readonly fields: Fields
}

/** What a test may have the origin do instead of answering. */
export type Interception =
  | { readonly type: 'proceed' }
  | {
      readonly type: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Buffer
      /** Read the whole request before answering. Default: answer at once. */
      readonly afterBody?: boolean
    }
  /** Break the connection: at once, or when the whole request was read. */
  | { readonly type: 'destroy'; readonly afterBody?: boolean }
  /** Never answer. */
  | { readonly type: 'hang' }

/** Ways to misbehave, to be set and reset while the origin runs. The defaults are AWS's behaviour. */
export interface Faults {
  /** Customer keys are ignored: 200, stored in the clear, no SSE-C header in the answer. */
  ignoreCustomerKeys: boolean
  /** What answers say of the encryption that took place. */
  proof: 'honest' | 'none' | 'algorithm-only' | 'md5-only' | 'other-md5'
  /** The last word on every ETag, in headers and documents; `etag` is without quotes. */
  rewriteEtag: (etag: string) => string
  /** MD5 ETags under SSE-C too, as Ceph and others give. */
  plaintextEtags: boolean
  /** CopyObject, UploadPartCopy and CompleteMultipartUpload fail inside a 200. */
  errorInside200: boolean
  /** Additional checksums are neither checked nor kept, nor is anything said of them, as with Ceph 16. */
  ignoreChecksums: boolean
  /** The last word on every additional checksum that is kept and answered with, base64. */
  keepChecksum: (value: string) => string
  /** Answers to forms say nothing of the checksum that was kept. */
  quietForms: boolean
  /** 411 to unsigned trailing checksums, as Ceph 16 answers. */
  refuseTrailers: boolean
  /** How a signature for another region than the bucket's is answered: 400 as the global endpoint does, or 301. */
  otherRegion: 'malformed' | 'redirect'
  /** Bodies of GET end after this many bytes, with the connection. */
  truncateBodies: number
  /** Called first for every request. */
  intercept: (request: SeenRequest) => Interception | Promise<Interception>
}

export function noFaults(): Faults {
  return {
    ignoreCustomerKeys: false,
    proof: 'honest',
    rewriteEtag: (etag) => etag,
    plaintextEtags: false,
    errorInside200: false,
    ignoreChecksums: false,
    keepChecksum: (value) => value,
    quietForms: false,
    refuseTrailers: false,
    otherRegion: 'malformed',
    truncateBodies: Infinity,
    intercept: () => ({ type: 'proceed' }),
  }
}
