import type { KeyObject } from 'node:crypto'
import { inspect } from 'node:util'

/** A secret that prints as `[secret]` wherever it is logged, inspected or serialised. */
export class SecretAccessKey {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The bytes, for the one caller that makes a signing key from them. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [inspect.custom](): string {
    return '[secret]'
  }
}

/** AWS credentials that requests to the upstream are signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: SecretAccessKey
  readonly sessionToken: SecretAccessKey | 'none'
}

/** `AKID/20261123/eu-central-1/s3/aws4_request`, in its parts. */
export interface CredentialScope {
  readonly accessKeyId: string
  /** yyyymmdd */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** Where the client put its signature and what it says of itself; nothing here is verified. */
export type Authorization =
  | { readonly type: 'none' }
  | {
      readonly type: 'header' | 'presigned'
      readonly scope: CredentialScope
      /** lower-case, in the order given */
      readonly signedHeaders: readonly string[]
      /** hex */
      readonly signature: string
      /** yyyymmddThhmmssZ */
      readonly timestamp: string
      /** seconds a presigned request lives; Infinity for a header */
      readonly expires: number
      /** `x-amz-content-sha256` as the client gave it, the last line of what it signed; UNSIGNED-PAYLOAD by default if presigned */
      readonly payloadHash: string
    }

export type SignedAuthorization = Exclude<Authorization, { readonly type: 'none' }>

/** How the body is protected: `x-amz-content-sha256`, parsed. Lengths in bytes. */
export type PayloadMode =
  | { readonly type: 'hashed'; readonly sha256: string }
  | { readonly type: 'unsigned' }
  | {
      readonly type: 'streaming-unsigned-trailer'
      readonly decodedLength: number
      readonly trailers: readonly string[]
    }
  | { readonly type: 'streaming-signed'; readonly decodedLength: number }
  | { readonly type: 'streaming-signed-trailer'; readonly decodedLength: number; readonly trailers: readonly string[] }

/** What a verified header or presigned signature leaves for the chunks that follow it. */
export interface VerifiedSignature {
  readonly scope: CredentialScope
  readonly timestamp: string
  /** hex; the seed of the chunk chain */
  readonly signature: string
  /** HMAC key of the scope, 32 bytes */
  readonly signingKey: KeyObject
}
