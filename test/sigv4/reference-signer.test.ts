import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { S3Error } from '../../src/s3/error.js'
import { encodePath } from '../../src/s3/encode.js'
import { signByReference } from '../../src/sigv4/reference-signer.js'
import { type RequestToSign, signRequest } from '../../src/sigv4/sign.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const byteString = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const unicode = fc.string({ unit: 'grapheme', maxLength: 24 })
const pieces = (...parts: readonly string[]) =>
  fc.array(fc.oneof(fc.constantFrom(...parts), unicode), { maxLength: 6 }).map((found) => found.join(''))

/** Some are strictly encoded, some only nearly, some not at all. */
const path = fc.oneof(
  {
    weight: 12,
    arbitrary: pieces('a', '/', '//', '.', '..', '+', ' ', '%', '%2F', '*', '~', 'ü').map(
      (key) => `/b/${encodePath(key)}`,
    ),
  },
  pieces('/', '%2F', '%2f', '%C3%BC', '%c3%bc', '%41', '%FF', '%', '?', '#', '+', '//', '.', '\n').map(
    (raw) => `/${raw}`,
  ),
  unicode,
)
const parameter = fc.tuple(
  fc.oneof(
    { weight: 12, arbitrary: pieces('a', 'A', '-', '_', '.', '=', '&', '%', '+').map((found) => `p${found}`) },
    fc.constantFrom('', '__proto__', 'toString', 'acl', 'uploadId'),
  ),
  pieces('', '=', '&', '+', ' ', '%20', '/', 'ü', '*'),
)
const query = fc.oneof(
  { weight: 9, arbitrary: fc.array(parameter, { maxLength: 5 }) },
  fc.integer({ min: 999, max: 1002 }).map((size) => Array.from({ length: size }, (_, i) => [`p${i}`, ''] as const)),
)
const name = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.constantFrom(
      'range',
      'content-type',
      'content-md5',
      'user-agent',
      'date',
      'x-amz-acl',
      'x-amz-meta-a',
      'x-amz-meta-b',
      'x-amz',
      'host',
    ),
  },
  fc.constantFrom(
    'x-amz-security-token',
    'x-amz-date',
    'authorization',
    'x-amz-content-sha256',
    'connection',
    'expect',
    'x-amzn-trace-id',
  ),
  fc.constantFrom('X-Amz-Acl', 'x-amz-é', 'x amz', '', 'a:b', '__proto__', 'toString'),
)
const value = fc.oneof(
  { weight: 16, arbitrary: pieces(' ', '\t', '  ', 'a', '\u00a0', '\u3000', '\ufeff', ',').map(latin1) },
  byteString,
  fc.constantFrom('', 'a\r\nb', 'M\xfcller', '\u0100', '\x7f', '\0'),
)
const credentials = fc.record({
  accessKeyId: fc.constantFrom('AKIAIOSFODNN7EXAMPLE', 'team/one'),
  secretAccessKey: fc.constantFrom('wJalrXUtnFEMI/K7MDENG', 'sécret', '').map((text) => new SecretAccessKey(text)),
  sessionToken: fc
    .constantFrom('none', 'token/+==')
    .map((text) => (text === 'none' ? text : new SecretAccessKey(text))),
})
const request: fc.Arbitrary<RequestToSign> = fc
  .record({
    method: fc.constantFrom('GET', 'PUT', 'POST', 'HEAD', 'DELETE'),
    path,
    query: query.map((pairs) => new Map(pairs)),
    headers: fc.array(fc.tuple(name, value), { maxLength: 8 }),
    host: fc.constantFrom('s3.test', 'bucket.s3.test:8443', '[::1]:443'),
    payloadHash: fc.constantFrom(
      'UNSIGNED-PAYLOAD',
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'e3b0c44298fc1c14',
      ' x  y ',
    ),
    credentials,
    region: fc.constantFrom('us-east-1', 'eu-central-1', 'ap-northeast-1'),
    now: fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
  })
  .map(({ headers, host, payloadHash, ...rest }) => ({
    ...rest,
    headers: Object.fromEntries([['host', host], ['x-amz-content-sha256', payloadHash], ...headers]),
  }))

t.test('what is signed is signed as aws4 signs it, byte for byte; what aws4 would not sign is refused', (t) => {
  const counts = { signed: 0, refused: 0 }
  fc.assert(
    fc.property(request, (input) => {
      let ours: ReturnType<typeof signRequest>
      try {
        ours = signRequest(input)
      } catch (error) {
        if (!(error instanceof S3Error)) throw error
        t.match(error.code, /^(?:InternalError|InvalidArgument|InvalidURI)$/)
        counts.refused += 1
        return
      }
      t.same(ours, signByReference(input))
      counts.signed += 1
    }),
    { numRuns: runs(4000) },
  )
  t.ok(counts.signed > runs(1000) && counts.refused > runs(400), JSON.stringify(counts))
  t.end()
})

t.test('the reference refuses what aws4 would sign as something else than what is sent', (t) => {
  const base: RequestToSign = {
    method: 'GET',
    path: '/b/k',
    query: new Map(),
    headers: { host: 'h', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    credentials: { accessKeyId: 'AK', secretAccessKey: new SecretAccessKey('s'), sessionToken: 'none' },
    region: 'us-east-1',
    now: new Date(0),
  }
  t.doesNotThrow(() => signByReference(base))
  for (const odd of ['/a+b', '/%2F', '/%41', '/%c3%bc', '/a b'])
    t.throws(() => signByReference({ ...base, path: odd }), odd)
  for (const odd of ['', '__proto__']) t.throws(() => signByReference({ ...base, query: new Map([[odd, 'x']]) }), odd)
  t.throws(() => signByReference({ ...base, headers: { ...base.headers, 'x-amz-meta-a': '\xff' } }), TypeError)
  t.end()
})
