import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { BLOCK, type Piece, sizeOf } from './content.js'
import type { LoadRequest } from './load-job.js'
import type { Scenario } from './scenarios.js'
import type { Workshop } from './workshop.js'
import { SecretAccessKey } from '../src/sigv4/types.js'
import { signRequest } from '../src/sigv4/sign.js'
import { signingKeyOf } from '../src/sigv4/signing-key.js'
import { targetHeaders } from '../src/s3/customer-key.js'
import { version2Header } from '../test/support/sign-version-2.js'

export const BUCKET = 'bench'
export const REGION = 'us-east-1'

/** One customer key for everything: what nginx adds, and the client itself where there is nothing in between. */
export const FIXED_KEY_HEADERS = targetHeaders(createSecretKey(Buffer.alloc(32, 7)))

const EMPTY_SHA256 = createHash('sha256').digest('hex')
const SIGNED_CHUNKS = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'

/**
 * The requests of one load, signed now, and so good for a quarter of an hour. Each is for another object, with another
 * signature to verify and another key to derive.
 */
export function signedRequests(
  scenario: Scenario,
  to: { readonly port: number; readonly customerKey: 'client' | 'not the client' },
  workshop: Workshop,
): readonly LoadRequest[] {
  return Array.from({ length: scenario.objects }, (_, i) => {
    const path = `/${BUCKET}/${scenario.bytes}/object-${i}.bin`
    const headers = signed(scenario, path, workshop, {
      host: `localhost:${to.port}`,
      'user-agent': 'ssec-proxy-bench',
      ...(to.customerKey === 'client' ? FIXED_KEY_HEADERS : {}),
    })
    const body = bodyOf(scenario, headers, new SecretAccessKey(workshop.secretAccessKey))
    const lines = Object.entries({
      ...headers,
      ...(scenario.method === 'PUT' ? { 'content-length': String(sizeOf(body)) } : {}),
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    return { head: `${scenario.method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, body }
  })
}

function signed(
  scenario: Scenario,
  path: string,
  { accessKeyId, secretAccessKey }: Workshop,
  headers: Record<string, string>,
): Record<string, string> {
  const now = new Date()
  const { method } = scenario
  if (scenario.signature === 'v2') {
    const dated = { ...headers, date: now.toUTCString() }
    const toSign = { method, resource: path, query: {}, headers: dated, accessKeyId, secretAccessKey }
    return { ...dated, authorization: version2Header(toSign) }
  }
  const credentials = {
    accessKeyId,
    secretAccessKey: new SecretAccessKey(secretAccessKey),
    sessionToken: 'none',
  } as const
  const all = { ...headers, ...payloadHeaders(scenario) }
  return signRequest({ method, path, query: new Map(), headers: all, credentials, region: REGION, now }).headers
}

function payloadHeaders({ method, bytes, payload }: Scenario): Record<string, string> {
  if (method === 'GET') return { 'x-amz-content-sha256': EMPTY_SHA256 }
  if (payload === 'unsigned') return { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  return {
    'x-amz-content-sha256': SIGNED_CHUNKS,
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': String(bytes),
  }
}

function bodyOf(scenario: Scenario, headers: Record<string, string>, secret: SecretAccessKey): readonly Piece[] {
  if (scenario.method === 'GET') return []
  if (scenario.payload === 'unsigned') return [{ fill: scenario.bytes }]
  return signedChunks(scenario.bytes, headers, secret)
}

/** Chunks of one block each, which is what AWS's older SDKs send. @see sigv4-streaming in the S3 API reference */
function signedChunks(bytes: number, headers: Record<string, string>, secret: SecretAccessKey): readonly Piece[] {
  const timestamp = headers['x-amz-date']!
  const date = timestamp.slice(0, 8)
  const scope = `${date}/${REGION}/s3/aws4_request`
  const key = signingKeyOf(secret, { accessKeyId: '', date, region: REGION, service: 's3' })
  let signature = /Signature=([0-9a-f]{64})/.exec(headers['authorization']!)![1]!
  const framed = (size: number): string => {
    const hash = createHash('sha256').update(BLOCK.subarray(0, size)).digest('hex')
    const text = ['AWS4-HMAC-SHA256-PAYLOAD', timestamp, scope, signature, EMPTY_SHA256, hash].join('\n')
    signature = createHmac('sha256', key).update(text).digest('hex')
    return `${size.toString(16)};chunk-signature=${signature}\r\n`
  }
  const pieces: Piece[] = []
  for (let left = bytes; left > 0; left -= BLOCK.length) {
    const size = Math.min(left, BLOCK.length)
    pieces.push({ text: framed(size) }, { fill: size }, { text: '\r\n' })
  }
  return [...pieces, { text: `${framed(0)}\r\n` }]
}
