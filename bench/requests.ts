import { createHash, createHmac, createSecretKey } from 'node:crypto'
import { BLOCK, type Piece, sizeOf } from './content.js'
import { formRequest } from './form-request.js'
import { type HopName, PROXIES, addsKey } from './hop-names.js'
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

const isProxy = (name: HopName): boolean => PROXIES.some((one) => one === name)

const EMPTY_SHA256 = createHash('sha256').digest('hex')
const SIGNED_CHUNKS = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'

/**
 * The requests of one load, signed now, and so good for a quarter of an hour. Each is for another object, with another
 * signature to verify and another key to derive.
 */
export function signedRequests(
  scenario: Scenario,
  to: { readonly port: number; readonly hop: HopName },
  workshop: Workshop,
): readonly LoadRequest[] {
  const own = { host: `localhost:${to.port}`, 'user-agent': 'ssec-proxy-bench' }
  return Array.from({ length: scenario.objects }, (_, i) => {
    const prefix = to.hop === 'versitygw' ? 'plain-' : i < scenario.slow ? 'slow-' : scenario.prefix
    const objectKey = `${scenario.bytes}/${prefix}object-${i}.bin`
    switch (scenario.request) {
      case 'POST form': {
        const key = isProxy(to.hop) ? {} : FIXED_KEY_HEADERS
        return formRequest(scenario, BUCKET, objectKey, own, key, workshop)
      }
      case 'GET listing':
        return request(scenario, `/${BUCKET}`, { 'list-type': '2', 'start-after': `object-${i}` }, own, workshop)
      case 'GET object':
      case 'PUT object': {
        const headers = addsKey(to.hop) ? own : { ...own, ...FIXED_KEY_HEADERS }
        const made = request(scenario, `/${BUCKET}/${objectKey}`, {}, headers, workshop)
        const slow = scenario.request === 'GET object' && i >= scenario.slow && i < 2 * scenario.slow
        return slow ? { ...made, reads: 'slow' } : made
      }
    }
  })
}

function request(
  scenario: Scenario,
  path: string,
  query: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  workshop: Workshop,
): LoadRequest {
  const headers = signed(scenario, path, query, workshop, own)
  const body = bodyOf(scenario, headers, new SecretAccessKey(workshop.secretAccessKey))
  const length = scenario.request === 'PUT object' ? { 'content-length': String(sizeOf(body)) } : {}
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`)
  const search = new URLSearchParams(query).toString()
  return {
    head: `${methodOf(scenario)} ${path}${search === '' ? '' : `?${search}`} HTTP/1.1\r\n${lines.join('')}\r\n`,
    body,
    reads: 'fast',
  }
}

const methodOf = ({ request: name }: Scenario): 'GET' | 'PUT' => (name === 'PUT object' ? 'PUT' : 'GET')

function signed(
  scenario: Scenario,
  path: string,
  query: Readonly<Record<string, string>>,
  { accessKeyId, secretAccessKey }: Workshop,
  headers: Record<string, string>,
): Record<string, string> {
  const now = new Date()
  const method = methodOf(scenario)
  if (scenario.signature === 'v2') {
    const dated = { ...headers, date: now.toUTCString() }
    const toSign = { method, resource: path, query, headers: dated, accessKeyId, secretAccessKey }
    return { ...dated, authorization: version2Header(toSign) }
  }
  const credentials = {
    accessKeyId,
    secretAccessKey: new SecretAccessKey(secretAccessKey),
    sessionToken: 'none',
  } as const
  const all = { ...headers, ...payloadHeaders(scenario) }
  const parameters = new Map(Object.entries(query))
  return signRequest({ method, path, query: parameters, headers: all, credentials, region: REGION, now }).headers
}

function payloadHeaders({ request: name, bytes, payload }: Scenario): Record<string, string> {
  if (name !== 'PUT object') return { 'x-amz-content-sha256': EMPTY_SHA256 }
  if (payload === 'unsigned') return { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  return {
    'x-amz-content-sha256': SIGNED_CHUNKS,
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': String(bytes),
  }
}

function bodyOf(scenario: Scenario, headers: Record<string, string>, secret: SecretAccessKey): readonly Piece[] {
  if (scenario.request !== 'PUT object') return []
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
