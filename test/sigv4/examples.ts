import { readFileSync } from 'node:fs'
import { S3Error } from '../../src/s3/error.js'
import { signingKeyOf } from '../../src/sigv4/signing-key.js'
import { SecretAccessKey, type CredentialScope, type VerifiedSignature } from '../../src/sigv4/types.js'

interface Example {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly canonicalSha256: string
  readonly signature: string
}

interface Examples {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly timestamp: string
  readonly requests: readonly Example[]
  readonly presigned: { readonly method: string; readonly path: string; readonly host: string; readonly query: string }
  readonly chunked: {
    readonly plain: { readonly seed: string; readonly chunks: readonly string[]; readonly length: number }
    readonly trailer: {
      readonly seed: string
      readonly chunks: readonly string[]
      readonly name: string
      readonly value: string
      readonly signature: string
    }
  }
}

const file = new URL('../vectors/sigv4/aws-examples.json', import.meta.url)

/** What AWS publishes on its SigV4 pages, as data. */
export const examples = JSON.parse(readFileSync(file, 'utf8')) as Examples
export const secret = new SecretAccessKey(examples.secretAccessKey)
export const now = new Date('2013-05-24T00:00:00Z')
export const scope: CredentialScope = {
  accessKeyId: examples.accessKeyId,
  date: '20130524',
  region: examples.region,
  service: 's3',
}

export function seededWith(signature: string): VerifiedSignature {
  return { scope, timestamp: examples.timestamp, signature, signingKey: signingKeyOf(secret, scope) }
}

/** The query of a raw target, read by other means than src's. */
export function queryOf(raw: string): ReadonlyMap<string, string> {
  return new Map(new URLSearchParams(raw))
}

/** The code that `run` fails with; `none` where it does not. */
export function codeOf(run: () => unknown): string {
  return errorOf(run)?.code ?? 'none'
}

export function errorOf(run: () => unknown): S3Error | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
}
