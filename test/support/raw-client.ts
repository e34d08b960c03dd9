import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { SignatureV4 } from '@smithy/signature-v4'
import type { VerifiedSignature } from '../../src/sigv4/types.js'
import type { S3Server } from './server.js'
import { version2Header, version2Query } from './sign-version-2.js'

export interface RawRequest {
  readonly method: string
  /** Encoded path as it goes on the wire. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes, or what makes them of the head's signature (signed chunks). */
  readonly body?: string | Buffer | ((verified: VerifiedSignature) => Buffer)
  /** x-amz-content-sha256; default the body's hash. */
  readonly payload?: string
  /** Headers that are sent but not signed. */
  readonly unsigned?: Readonly<Record<string, string>>
  /** Sign nothing. */
  readonly anonymous?: boolean
  /** Use the port without TLS. */
  readonly plain?: boolean
  readonly region?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly date?: Date
  readonly host?: string
  /** Sign in the query instead, for so many seconds. */
  readonly presignFor?: number
  /** Sign with version 2: in the header, or in the query until that time (seconds since 1970). */
  readonly version2?: 'header' | { readonly expires: number }
  /** What version 2 signs in place of the path; with the bucket in front in virtual-hosted style. */
  readonly resource?: string
  /** Called with the finished head before it is sent, to spoil it. */
  readonly tamper?: (head: { path: string; headers: Record<string, string> }) => void
}

export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Code and Message of an error document, `''` where there is none. */
  readonly code: string
  readonly message: string
}

class Sha256 {
  readonly #secret: Buffer | undefined
  #parts: Uint8Array[] = []
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (typeof secret === 'string') this.#secret = Buffer.from(secret)
    else if (secret instanceof ArrayBuffer) this.#secret = Buffer.from(secret)
    else if (secret !== undefined) this.#secret = Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
  }
  update(data: Uint8Array): void {
    this.#parts.push(data)
  }
  reset(): void {
    this.#parts = []
  }
  digest(): Promise<Uint8Array> {
    const all = Buffer.concat(this.#parts)
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret)
    return Promise.resolve(hash.update(all).digest())
  }
}

export interface RawClient {
  send(request: RawRequest): Promise<RawResponse>
  close(): void
}

/** Requests signed by @smithy/signature-v4 and sent by node:https as they are: nothing is hidden, retried or added. */
export function rawClient(server: S3Server): RawClient {
  const agent = new Agent({ ca: server.ca, keepAlive: true })
  return {
    close: () => agent.destroy(),
    async send(request) {
      if (request.plain === true && server.plainPort === 'none') throw new Error('no plain port')
      const port = request.plain === true && server.plainPort !== 'none' ? server.plainPort : server.port
      const head = await signed(server, request, port)
      request.tamper?.(head)
      const body = typeof request.body === 'function' ? request.body(verifiedBy(server, head.headers)) : request.body
      return exchange(request.method, Buffer.from(body ?? ''), head, port, request.plain === true ? undefined : agent)
    },
  }
}

async function signed(
  server: S3Server,
  request: RawRequest,
  port: number,
): Promise<{ path: string; headers: Record<string, string> }> {
  if (request.version2 !== undefined) return signedVersion2(server, request, request.version2, port)
  const body = typeof request.body === 'function' ? '' : (request.body ?? '')
  const query = { ...request.query }
  const headers: Record<string, string> = {
    host: request.host ?? `127.0.0.1:${port}`,
    ...request.headers,
    ...(request.presignFor === undefined
      ? { 'x-amz-content-sha256': request.payload ?? createHash('sha256').update(body).digest('hex') }
      : {}),
  }
  const message = {
    method: request.method,
    protocol: 'https:',
    hostname: '127.0.0.1',
    path: request.path,
    query,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  }
  const signer = new SignatureV4({
    service: 's3',
    region: request.region ?? server.region,
    credentials: { ...server.credentials, ...pick(request) },
    sha256: Sha256,
    uriEscapePath: false,
  })
  const signingDate = request.date ?? new Date()
  if (request.anonymous !== true && request.presignFor !== undefined) {
    const result = await signer.presign(
      { ...message, headers: { ...message.headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } },
      {
        expiresIn: request.presignFor,
        signingDate,
        unhoistableHeaders: new Set(Object.keys(message.headers)),
        unsignableHeaders: new Set(['x-amz-content-sha256']),
      },
    )
    const path = `${request.path}?${encodeQuery(result.query as Record<string, string>)}`
    return { path, headers: { ...message.headers, ...request.unsigned } }
  }
  const result = request.anonymous === true ? message : await signer.sign(message, { signingDate })
  const search = encodeQuery(query)
  return {
    path: search === '' ? request.path : `${request.path}?${search}`,
    headers: { ...result.headers, ...request.unsigned },
  }
}

function signedVersion2(
  server: S3Server,
  request: RawRequest,
  how: 'header' | { readonly expires: number },
  port: number,
): { path: string; headers: Record<string, string> } {
  const date = how === 'header' ? { date: (request.date ?? new Date()).toUTCString() } : {}
  const host = request.host ?? `127.0.0.1:${port}`
  const headers: Record<string, string> = { host, ...date, ...request.headers }
  const { method, path, resource = path, query = {} } = request
  const toSign = { method, resource, query, headers, ...server.credentials, ...pick(request) }
  const all = how === 'header' ? query : version2Query(toSign, how.expires)
  if (how === 'header') headers['authorization'] = version2Header(toSign)
  const search = encodeQuery(all)
  return { path: search === '' ? path : `${path}?${search}`, headers: { ...headers, ...request.unsigned } }
}

/** What the chunks of a body are signed with, from the head's own signature. */
function verifiedBy(server: S3Server, headers: Readonly<Record<string, string>>): VerifiedSignature {
  const found = /Credential=[^/]*\/(\d{8})\/([^/]*)\/s3\/aws4_request, .*Signature=([0-9a-f]{64})/.exec(
    headers['authorization'] ?? '',
  )
  const [, date = '', region = '', signature = ''] = found ?? []
  const { accessKeyId, secretAccessKey } = server.credentials
  const signingKey = [date, region, 's3', 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  )
  const timestamp = headers['x-amz-date'] ?? ''
  return {
    scope: { accessKeyId, date, region, service: 's3' },
    timestamp,
    signature,
    signingKey: createSecretKey(signingKey),
  }
}

function pick(request: RawRequest): { accessKeyId?: string; secretAccessKey?: string } {
  return {
    ...(request.accessKeyId === undefined ? {} : { accessKeyId: request.accessKeyId }),
    ...(request.secretAccessKey === undefined ? {} : { secretAccessKey: request.secretAccessKey }),
  }
}

function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => (value === '' ? encode(name) : `${encode(name)}=${encode(value)}`))
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

function exchange(
  method: string,
  body: Buffer,
  head: { path: string; headers: Record<string, string> },
  port: number,
  agent: Agent | undefined,
): Promise<RawResponse> {
  const chunked = 'transfer-encoding' in head.headers
  const needsLength = !chunked && (body.length > 0 || ['PUT', 'POST'].includes(method))
  const headers: OutgoingHttpHeaders = {
    ...(needsLength ? { 'content-length': String(body.length) } : {}),
    ...head.headers,
  }
  const options = { host: '127.0.0.1', port, method, path: head.path, headers, setHost: false }
  return new Promise((resolve, reject) => {
    const outgoing = agent === undefined ? httpRequest(options) : httpsRequest({ ...options, agent })
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (data: Buffer) => parts.push(data))
      response.once('error', reject)
      response.once('end', () => {
        const bytes = Buffer.concat(parts)
        const text = bytes.subarray(0, 16_384).toString('utf8')
        const error = text.includes('<Error>')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: bytes,
          code: error ? elementText(text, 'Code') : '',
          message: error ? elementText(text, 'Message') : '',
        })
      })
    })
    outgoing.end(body)
  })
}

/** The text of the first such element of a document, `''` where there is none. */
export function elementText(document: string, name: string): string {
  const found = new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(document)
  return (found?.[1] ?? '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&apos;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
