import { createHash, randomBytes } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { elementText, type RawClient, type RawRequest, type RawResponse } from '../support/raw-client.js'
import type { S3Server } from '../support/server.js'

/** What a case has to work with. Cases share a bucket and never an object key. */
export interface Context {
  readonly server: S3Server
  readonly raw: RawClient
  readonly sdk: S3Client
  readonly bucket: string
  /** A bucket with versioning. */
  readonly versioned: string
  /** An object key of this case's own. */
  readonly objectKey: string
}

/** One thing that is asked of a server; its outcome in a line is compared to the table of expectations. */
export interface Case {
  readonly name: string
  readonly run: (context: Context) => Promise<string>
}

export interface CustomerKey {
  readonly bytes: Buffer
  readonly base64: string
  readonly md5: string
}

export function customerKey(bytes: Buffer = randomBytes(32)): CustomerKey {
  return {
    bytes,
    base64: bytes.toString('base64'),
    md5: createHash('md5').update(bytes).digest('base64'),
  }
}

/** The three headers, for the target or for a copy's source. */
export function keyHeaders(key: CustomerKey, place: 'target' | 'source' = 'target'): Record<string, string> {
  const prefix = place === 'target' ? 'x-amz-' : 'x-amz-copy-source-'
  return {
    [`${prefix}server-side-encryption-customer-algorithm`]: 'AES256',
    [`${prefix}server-side-encryption-customer-key`]: key.base64,
    [`${prefix}server-side-encryption-customer-key-md5`]: key.md5,
  }
}

/** The same for AWS's SDK. */
export function sdkKey(key: CustomerKey): {
  SSECustomerAlgorithm: string
  SSECustomerKey: string
  SSECustomerKeyMD5: string
} {
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.base64, SSECustomerKeyMD5: key.md5 }
}

/** Sends a request on an object of this case. */
export function on(
  context: Context,
  method: string,
  request: Omit<RawRequest, 'method' | 'path'> & { objectKey?: string; bucket?: string } = {},
): Promise<RawResponse> {
  const { objectKey = context.objectKey, bucket = context.bucket, ...rest } = request
  return context.raw.send({ method, path: `/${bucket}/${objectKey}`, ...rest })
}

/** Puts an object that the case needs; throws where that fails. Returns the answer. */
export async function given(
  context: Context,
  body: string | Buffer,
  options: { key?: CustomerKey; objectKey?: string; bucket?: string; headers?: Record<string, string> } = {},
): Promise<RawResponse> {
  const { key, headers, ...rest } = options
  const all = { ...(key === undefined ? {} : keyHeaders(key)), ...headers }
  const response = await on(context, 'PUT', { body, headers: all, ...rest })
  if (response.status !== 200) throw new Error(`could not put the object that the case needs: ${say(response)}`)
  return response
}

/** Status, and code and message of an error. */
export function say(response: RawResponse): string {
  if (response.code === '') return String(response.status)
  return `${response.status} ${response.code}${response.message === '' ? '' : `: ${response.message}`}`
}

/** The same, and whether a success says what key it used. */
export function sayProof(response: RawResponse, key: CustomerKey): string {
  if (response.status >= 300 || response.code !== '') return say(response)
  const algorithm = response.headers['x-amz-server-side-encryption-customer-algorithm']
  const md5 = response.headers['x-amz-server-side-encryption-customer-key-md5']
  if (algorithm === undefined && md5 === undefined) return `${response.status} unproven`
  return algorithm === 'AES256' && md5 === key.md5 ? `${response.status} proven` : `${response.status} wrong proof`
}

/** Whether a body is what was put. */
export function sayBody(response: RawResponse, expected: string | Buffer): string {
  if (response.status >= 300) return say(response)
  return `${response.status} ${response.body.equals(Buffer.from(expected)) ? 'same bytes' : 'other bytes'}`
}

/** How the object of this case is at rest, as a read without a key shows it. */
export async function sayAtRest(context: Context, plaintext: string | Buffer, objectKey?: string): Promise<string> {
  const response = await on(context, 'GET', objectKey === undefined ? {} : { objectKey })
  if (response.status === 404) return 'absent'
  if (response.status === 400 || response.status === 403) return 'encrypted'
  return response.body.equals(Buffer.from(plaintext)) ? 'in the clear' : `unclear (${response.status})`
}

/** Begins an upload and gives its id. */
export async function begin(context: Context, headers: Record<string, string> = {}): Promise<string> {
  const response = await on(context, 'POST', { query: { uploads: '' }, headers })
  const uploadId = elementText(response.body.toString(), 'UploadId')
  if (response.status !== 200 || uploadId === '') throw new Error(`no upload: ${say(response)}`)
  return uploadId
}

export function putPart(
  context: Context,
  uploadId: string,
  partNumber: number,
  request: Omit<RawRequest, 'method' | 'path' | 'query'>,
): Promise<RawResponse> {
  return on(context, 'PUT', { query: { partNumber: String(partNumber), uploadId }, ...request })
}

export function complete(
  context: Context,
  uploadId: string,
  parts: readonly { partNumber: number; etag: string; more?: string }[],
  headers: Record<string, string> = {},
): Promise<RawResponse> {
  const listed = parts.map(
    (part) =>
      `<Part><PartNumber>${part.partNumber}</PartNumber><ETag>${part.etag.replaceAll('"', '&quot;')}</ETag>${part.more ?? ''}</Part>`,
  )
  return on(context, 'POST', {
    query: { uploadId },
    headers,
    body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${listed.join('')}</CompleteMultipartUpload>`,
  })
}

export const FIVE_MIB = 5 * 1024 * 1024
