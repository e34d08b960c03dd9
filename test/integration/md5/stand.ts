import { createHash, randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { Origin } from '../../../src/origin/start-origin.js'
import { testCertificates } from '../../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../../support/origin.js'
import {
  CLIENT,
  encryptedRule,
  keyringOf,
  startTestProxy,
  type TestProxy,
  type TestProxyOptions,
} from '../../support/proxy-in-process.js'
import { pathOf, s3, type S3Answer, type S3Call, type S3Side } from '../../support/s3-client.js'

export const md5Rule = { ...encryptedRule('bucket', 'main'), etag: 'md5' as const }

export const md5Hex = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex')
export const md5Base64 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('base64')
export const shownMD5 = (bytes: Buffer | string): string => `"${md5Hex(bytes)}"`

/** The ETag of an upload in these parts. */
export const shownMD5Of = (parts: readonly Buffer[]): string =>
  `"${md5Hex(Buffer.concat(parts.map((part) => createHash('md5').update(part).digest())))}-${parts.length}"`

export interface Stand {
  readonly origin: Origin
  /** The origin itself, without the proxy. */
  readonly direct: S3Side
  readonly client: S3Side
  readonly proxy: TestProxy
  readonly upstream: TestProxyOptions['upstream']
  readonly masters: ReadonlyMap<string, Buffer>
  /** Another proxy with the same master keys: it knows nothing that the first one remembers. */
  readonly another: (
    options?: Partial<TestProxyOptions>,
    ...keyVersions: string[]
  ) => Promise<S3Side & { readonly proxy: TestProxy }>
}

/** The embedded origin behind a proxy whose rule says md5. */
export async function md5Stand(t: Test, options: Partial<TestProxyOptions> = {}): Promise<Stand> {
  const origin = await startTestOrigin({ buckets: ['bucket', 'plain', 'opaque'], minimumPartSize: 1 })
  t.teardown(() => origin.close())
  const upstream = {
    port: origin.port,
    ca: testCertificates().authority.cert,
    ...ORIGIN_CREDENTIALS,
    region: 'us-east-1',
  }
  const masters = new Map(['v1', 'v2'].map((id) => [id, randomBytes(32)]))
  const another: Stand['another'] = async (more = {}, ...keyVersions) => {
    const proxy = await startTestProxy(t, {
      upstream,
      rules: [md5Rule],
      keyrings: [keyringOf('main', keyVersions.length === 0 ? ['v1'] : keyVersions, masters)],
      ...options,
      ...more,
    })
    return { port: proxy.port, ...CLIENT, proxy }
  }
  const client = await another()
  return { origin, direct: { ...upstream }, client, proxy: client.proxy, upstream, masters, another }
}

export interface Put {
  readonly status: number
  readonly etag: string
  readonly answer: S3Answer
}

export async function put(side: S3Side, objectKey: string, body: Buffer | string, call: S3Call = {}): Promise<Put> {
  const answer = await s3(side, 'PUT', pathOf('bucket', objectKey), { body, ...call })
  return { status: answer.status, etag: answer.headers.etag ?? '', answer }
}

export const etagOf = async (side: S3Side, objectKey: string, call: S3Call = {}, method = 'HEAD'): Promise<string> =>
  (await s3(side, method, pathOf('bucket', objectKey), call)).headers.etag ?? ''

export const elementOf = (text: string, name: string): string =>
  (new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '').replaceAll('&quot;', '"')

/** Creates an upload. @returns its id as the client sees it */
export async function createUpload(
  side: S3Side,
  objectKey: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await s3(side, 'POST', pathOf('bucket', objectKey), { query: { uploads: '' }, headers })
  return elementOf(answer.text, 'UploadId')
}

export async function uploadPart(
  side: S3Side,
  objectKey: string,
  uploadId: string,
  partNumber: number,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Put> {
  return put(side, objectKey, body, { body, headers, query: { partNumber: String(partNumber), uploadId } })
}

export function completeUpload(
  side: S3Side,
  objectKey: string,
  uploadId: string,
  parts: readonly { readonly partNumber: number; readonly etag: string }[],
): Promise<S3Answer> {
  const elements = parts.map(
    ({ partNumber, etag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`,
  )
  const body = `<CompleteMultipartUpload>${elements.join('')}</CompleteMultipartUpload>`
  return s3(side, 'POST', pathOf('bucket', objectKey), { query: { uploadId }, body })
}
