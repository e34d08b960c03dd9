import { inspect } from 'node:util'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { S3Error } from '../../../src/s3/error.js'
import { type TargetToSign, signHead } from '../../../src/sigv4/sign.js'
import { SecretAccessKey } from '../../../src/sigv4/types.js'
import { endpointFor } from '../../../src/upstream/address.js'
import { requestHead } from '../../../src/upstream/lean/request-head.js'
import { SignedUpstreamRequest } from '../../../src/upstream/signed-request.js'
import { UpstreamFailure, type UpstreamRequest } from '../../../src/upstream/types.js'

const endpoint = endpointFor(
  { endpoint: { hostname: 's3.test', port: 8443 }, addressing: 'path' },
  'us-east-1',
  'service',
)
const target: TargetToSign = {
  method: 'GET',
  path: '/bucket/key',
  query: new Map(),
  credentials: { accessKeyId: 'AKID', secretAccessKey: new SecretAccessKey('secret'), sessionToken: 'none' },
  region: 'us-east-1',
  now: new Date('2026-11-26T01:02:03Z'),
}
const HASH = ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'] as const
const KEYS = { 'x-amz-server-side-encryption-customer-key': 'a2V5' }
const NO_BODY = { type: 'none' } as const

const signed = (
  headers: readonly (readonly [string, string])[],
  change: Partial<TargetToSign> = {},
  body: UpstreamRequest['body'] = NO_BODY,
): SignedUpstreamRequest =>
  new SignedUpstreamRequest(
    endpoint,
    signHead(new Map([HASH, ...headers]), KEYS, endpoint.hostHeader, { ...target, ...change }),
    body,
  )

/** The same request as anybody could have made it: all of it is looked at. */
const unsigned = ({ method, hostname, port, path, headers, body }: UpstreamRequest): UpstreamRequest => ({
  method,
  hostname,
  port,
  path,
  headers: Object.freeze(Object.fromEntries(Object.entries(headers))),
  body,
})

function outcome(request: UpstreamRequest): object | string {
  try {
    return requestHead(request)
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    return `${error.reason} ${error.sent}`
  }
}

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('range', 'content-type', 'user-agent', 'x-amz-meta-a', 'x-amz-meta-a_b') },
  fc.constantFrom('content-length', 'transfer-encoding', 'connection', 'expect', 'te'),
  fc.constantFrom('__proto__', 'constructor', 'toString', '1', '0', '01', '1a', 'a1', '4294967295', '-1'),
)
const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', 'a', ' a\t b ', '0', '3', 'chunked', '~', '\xc3\xbc') },
  fc.constantFrom('\x7f', 'a\r\nb: c', '\r', '\n', '\0', '\x1f', '\xff', '\u0100'),
)
const body = fc.constantFrom(NO_BODY, { type: 'stream', stream: Readable.from([]) } as const)
const change = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'CONNECT', 'get', 'G T', 'GET\r\n', ''),
  query: fc.constantFrom(new Map(), new Map([['versionId', 'a b?']])),
  path: fc.constantFrom('/', '/bucket//a/../%C3%BC'),
})

t.test('the head of what was signed is that of the same request by anybody, or is refused as that is', (t) => {
  const counts = { sent: 0, refused: 0, unsigned: 0 }
  const headers = fc.array(fc.tuple(name, value), { maxLength: 6 })
  fc.assert(
    fc.property(headers, change, body, (headers, change, body) => {
      let request: SignedUpstreamRequest
      try {
        request = signed(headers, change, body)
      } catch (error) {
        if (!(error instanceof S3Error)) throw error
        counts.unsigned += 1
        return
      }
      const expected = outcome(unsigned(request))
      t.strictSame(outcome(request), expected)
      counts[typeof expected === 'string' ? 'refused' : 'sent'] += 1
    }),
    { numRuns: 4000 },
  )
  t.ok(counts.sent > 400 && counts.refused > 400 && counts.unsigned > 200, JSON.stringify(counts))
  t.end()
})

t.test('the lines of a head, in the order in which they were given, whatever there was before', (t) => {
  for (const agent of ['one', 'another']) {
    const { text, length } = requestHead(signed([['user-agent', agent]], { query: new Map([['acl', '']]) }))
    const lines = text.split('\r\n')
    const [authorization] = lines.splice(6, 1)
    t.strictSame(lines, [
      'GET /bucket/key?acl= HTTP/1.1',
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
      `user-agent: ${agent}`,
      'x-amz-server-side-encryption-customer-key: a2V5',
      'host: s3.test:8443',
      'x-amz-date: 20261126T010203Z',
      '',
      '',
    ])
    t.match(authorization, /^authorization: AWS4-HMAC-SHA256 Credential=AKID\/20261126\/us-east-1\/s3\/aws4_request, /)
    t.equal(length, 0)
  }
  t.end()
})

t.test('nothing that is changed after the signature is sent, and nothing printed shows a key', (t) => {
  const fields = new Map([HASH, ['user-agent', 'a']])
  const keys: Record<string, string> = { ...KEYS }
  const request = new SignedUpstreamRequest(endpoint, signHead(fields, keys, endpoint.hostHeader, target), NO_BODY)
  const before = requestHead(request)
  fields.set('user-agent', 'b').set('x-new', '')
  keys['x-amz-server-side-encryption-customer-key'] = 'other'
  t.throws(() => Object.assign(request.headers, { 'user-agent': 'b' }), TypeError)
  t.throws(() => Object.assign(request, { path: '/' }), TypeError)
  t.strictSame(requestHead(request), before)
  t.equal(request.headers['user-agent'], 'a')
  t.notMatch(inspect(request, { depth: 9, showHidden: true }) + JSON.stringify(request), 'a2V5')
  t.end()
})

t.test('a header that would be there twice is not signed', (t) => {
  for (const name of ['host', 'x-amz-date', 'authorization', 'x-amz-server-side-encryption-customer-key']) {
    t.throws(() => signed([[name, 'a']]), S3Error, name)
  }
  t.end()
})
