import { createHash } from 'node:crypto'
import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { encodePath } from '../../src/s3/encode.js'
import { signRequest } from '../../src/sigv4/sign.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { testCertificates } from './certificates.js'

/** One side that a test speaks S3 with. */
export interface S3Side {
  /** default localhost */
  readonly host?: string
  readonly port: number
  readonly plain?: boolean
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region?: string
  readonly ca?: string
}

export interface S3Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** `<Code>` of an error document, or `''`. */
  readonly code: string
  readonly text: string
}

export interface S3Call {
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Sent in place of `body`: framed, truncated or tampered bytes. `content-length` is theirs unless headers say. */
  readonly wire?: Buffer | Readable
  /** Called with the signed headers, which may still be changed: what is sent differs from what was signed then. */
  readonly tamper?: (headers: Record<string, string>) => void
  readonly onRequest?: (request: ClientRequest) => void
}

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** Signed headers and target of a call, for those who send by themselves. */
export function signedCall(side: S3Side, method: string, path: string, call: S3Call = {}) {
  const body = Buffer.from(call.body ?? '')
  return signRequest({
    method,
    path,
    query: new Map(Object.entries(call.query ?? {})),
    headers: {
      host: `${side.host ?? 'localhost'}:${side.port}`,
      'x-amz-content-sha256': sha256(body),
      ...call.headers,
    },
    credentials: {
      accessKeyId: side.accessKeyId,
      secretAccessKey: new SecretAccessKey(side.secretAccessKey),
      sessionToken: 'none',
    },
    region: side.region ?? 'us-east-1',
    now: new Date(),
  })
}

/** One signed request by raw node:http, with nothing in between that would mend or hide anything. */
export function s3(side: S3Side, method: string, path: string, call: S3Call = {}): Promise<S3Answer> {
  const signed = signedCall(side, method, path, call)
  call.tamper?.(signed.headers)
  const wire = call.wire ?? Buffer.from(call.body ?? '')
  const length: Record<string, string> =
    Buffer.isBuffer(wire) &&
    signed.headers['content-length'] === undefined &&
    signed.headers['transfer-encoding'] === undefined
      ? { 'content-length': String(wire.length) }
      : {}
  return send(side, { method, path: signed.path, headers: { ...signed.headers, ...length } }, wire, call.onRequest)
}

/** A request as it is, signed or not. */
export function send(
  side: Pick<S3Side, 'host' | 'port' | 'plain' | 'ca'>,
  options: RequestOptions,
  wire: Buffer | Readable = Buffer.alloc(0),
  onRequest?: (request: ClientRequest) => void,
): Promise<S3Answer> {
  const to = { host: side.host ?? 'localhost', port: side.port, agent: false as const, ...options }
  return new Promise((resolve, reject) => {
    const heard = (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const body = Buffer.concat(chunks)
        const text = body.length < 1_000_000 ? body.toString('utf8') : ''
        const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? ''
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body, code, text })
      })
    }
    const request =
      side.plain === true
        ? httpRequest(to, heard)
        : httpsRequest({ ...to, ca: side.ca ?? testCertificates().authority.cert }, heard)
    request.on('error', reject)
    onRequest?.(request)
    if (Buffer.isBuffer(wire)) request.end(wire)
    else wire.pipe(request)
  })
}

export const pathOf = (bucket: string, objectKey: string): string => `/${bucket}/${encodePath(objectKey)}`
