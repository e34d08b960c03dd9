import t from 'tap'
import type { PlannedAttempt } from '../../src/proxy/attempts.js'
import type { RewrittenRequest } from '../../src/proxy/messages.js'
import { signAttempt } from '../../src/proxy/sign-attempt.js'
import { signByReference } from '../../src/sigv4/reference-signer.js'
import { SecretAccessKey, type AwsCredentials } from '../../src/sigv4/types.js'
import type { CredentialSource, UpstreamRequest } from '../../src/upstream/types.js'
import { errorOf } from '../sigv4/examples.js'

const credentials: AwsCredentials = {
  accessKeyId: 'AKUP',
  secretAccessKey: new SecretAccessKey('upstream secret'),
  sessionToken: 'none',
}
const now = new Date('2026-11-26T01:02:03Z')
const pipeline = {
  now: () => now,
  upstream: { endpoint: { hostname: 's3.{region}.test', port: 8443 }, addressing: 'path' },
} as Parameters<typeof signAttempt>[3]
const given = Object.freeze({
  'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
  'user-agent': 'client',
  'x-amz-meta-a': ' two  words ',
})
const attempt = {
  target: 'plain',
  source: 'plain',
  headers: Object.freeze({ 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }),
} as unknown as PlannedAttempt

const request = (source: CredentialSource, permission = 's3:GetObject'): RewrittenRequest =>
  ({
    method: 'GET',
    operation: { permission },
    target: { type: 'object', bucket: 'bucket', objectKey: 'dir//ü +' },
    identity: { credentials: source },
    upstreamQuery: new Map([['versionId', 'a/b']]),
    upstreamHeaders: new Map(Object.entries(given)),
    upstreamBody: { type: 'none' },
  }) as unknown as RewrittenRequest

const plain = ({ method, hostname, port, path, headers, body }: UpstreamRequest): UpstreamRequest => ({
  method,
  hostname,
  port,
  path,
  headers,
  body,
})

t.test('signed as the reference signs it, with key and host in it, at once where credentials are held', (t) => {
  const signed = signAttempt(
    request(() => credentials),
    attempt,
    'eu-central-1',
    pipeline,
  )
  if (signed instanceof Promise) throw new Error('a promise')
  const { path, headers } = signByReference({
    method: 'GET',
    path: '/bucket/dir//%C3%BC%20%2B',
    query: new Map([['versionId', 'a/b']]),
    headers: { ...given, ...attempt.headers, host: 's3.eu-central-1.test:8443' },
    credentials,
    region: 'eu-central-1',
    now,
  })
  t.same(plain(signed), {
    method: 'GET',
    hostname: 's3.eu-central-1.test',
    port: 8443,
    path,
    headers,
    body: { type: 'none' },
  })
  t.match(headers['authorization'], /customer-algorithm/)
  t.end()
})

t.test('what comes out cannot be changed, whoever signs or does not', (t) => {
  for (const permission of ['s3:GetObject', 'none']) {
    const signed = signAttempt(
      request(() => credentials, permission),
      attempt,
      'us-east-1',
      pipeline,
    )
    if (signed instanceof Promise) throw new Error('a promise')
    for (const change of [{ path: '/' }, { method: 'PUT' }, { hostname: 'evil.test' }, { headers: {} }, { new: '' }]) {
      t.throws(() => Object.assign(signed, change), TypeError)
    }
    t.throws(() => Object.assign(signed.headers, { host: 'evil.test' }), TypeError)
    t.throws(() => Object.assign(signed.headers, { 'x-amz-new': '' }), TypeError)
    t.throws(() => Object.assign(signed.body, { type: 'stream' }), TypeError)
    t.equal('authorization' in signed.headers, permission !== 'none')
    t.equal(signed.headers, signed.headers)
  }
  t.end()
})

t.test('credentials that must be fetched are waited for; what goes wrong there goes wrong here', async (t) => {
  const later = signAttempt(
    request(async () => credentials),
    attempt,
    'us-east-1',
    pipeline,
  )
  t.type(later, Promise)
  t.same(
    plain(await later),
    plain(
      await signAttempt(
        request(() => credentials),
        attempt,
        'us-east-1',
        pipeline,
      ),
    ),
  )
  const away = new Error('no credentials')
  await t.rejects(
    async () =>
      signAttempt(
        request(() => Promise.reject(away)),
        attempt,
        'us-east-1',
        pipeline,
      ),
    away,
  )
})

t.test('a header that cannot be signed is refused, and no body is opened', (t) => {
  let opened = 0
  const bad = {
    ...request(() => credentials),
    upstreamHeaders: new Map(Object.entries({ ...given, 'x-amz-meta-a': 'M\xfcller' })),
    upstreamBody: { type: 'stream', open: () => (opened += 1) },
  } as unknown as RewrittenRequest
  t.match(
    errorOf(() => signAttempt(bad, attempt, 'us-east-1', pipeline)),
    { code: 'InvalidArgument' },
  )
  t.equal(opened, 0)
  t.end()
})
