import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Permission } from '../../src/config/types.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, READER, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { s3, send, signedCall, type S3Side } from '../support/s3-client.js'

// The calls that clients and browsers make without being asked to.

const origin = await startTestOrigin({ buckets: ['bucket', 'app-1', 'app-2', 'app-3', 'other'] })
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}
const direct: S3Side = { ...upstream }

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, ...options })
  const reader: S3Side = { port: proxy.port, ...READER }
  return { proxy, reader, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}
const grant = (bucket: string, prefix: string, ...permissions: Permission[]) => ({
  bucket,
  prefixes: [prefix],
  permissions,
})
const names = (text: string) => [...text.matchAll(/<Name>([^<]*)<\/Name>/g)].map((found) => found[1])
const md5 = (text: string) => createHash('md5').update(text).digest('base64')

t.test('ListBuckets shows what the identity has to do with, page by page', async (t) => {
  const { reader, client } = await start(t, {
    readerGrants: [grant('app-*', '', 'list'), grant('app-2', 'x/', 'read')],
  })
  t.same(names((await s3(reader, 'GET', '/')).text), ['app-1', 'app-2', 'app-3'])
  t.equal(names((await s3(client, 'GET', '/')).text).length, 5)
  t.same(names((await s3(reader, 'GET', '/', { query: { prefix: 'app-2' } })).text), ['app-2'])
  t.same(names((await s3(reader, 'GET', '/', { query: { prefix: 'oth' } })).text), [])
  const pages: (string | undefined)[][] = []
  let token: string | undefined
  do {
    const query = { 'max-buckets': '1', ...(token === undefined ? {} : { 'continuation-token': token }) }
    const { text, status } = await s3(reader, 'GET', '/', { query })
    t.equal(status, 200)
    pages.push(names(text))
    token = /<ContinuationToken>([^<]+)</.exec(text)?.[1]
  } while (token !== undefined && pages.length < 9)
  t.same(pages, [['app-1'], ['app-2'], ['app-3'], [], []], 'pages of hidden buckets are empty, and the walk goes on')
  const { reader: none } = await start(t, { readerGrants: [grant('app-1', '', 'read')] })
  t.equal((await s3(none, 'GET', '/')).code, 'AccessDenied')
})

t.test('CreateBucket by who may only write: told that it exists, never made', async (t) => {
  const { reader, proxy } = await start(t, { readerGrants: [grant('app-*', 'up/', 'write')] })
  const body =
    '<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>'
  for (const call of [{}, { body }]) {
    const there = await s3(reader, 'PUT', '/app-1', call)
    t.equal(there.status, 409)
    t.equal(there.code, 'BucketAlreadyOwnedByYou')
  }
  t.equal((await s3(reader, 'PUT', '/app-9')).code, 'AccessDenied', 'one that does not exist')
  t.equal((await s3(direct, 'HEAD', '/app-9')).status, 404)
  const before = proxy.events.reduce((sum, { attempts }) => sum + attempts, 0)
  t.equal((await s3(reader, 'PUT', '/other')).code, 'AccessDenied', 'another bucket, not even asked for')
  await proxy.lastEvent()
  t.equal(
    proxy.events.reduce((sum, { attempts }) => sum + attempts, 0),
    before,
  )
  t.equal((await s3(reader, 'PUT', '/app-1', { query: { policy: '' }, body: '{}' })).code, 'AccessDenied')
  origin.faults.intercept = () => ({ type: 'answer', status: 500 })
  t.equal((await s3(reader, 'PUT', '/app-1')).status, 503, 'nobody knows')
})

t.test('who may not, hears the region all the same, and only one that clients may sign for', async (t) => {
  const { proxy, reader } = await start(t, { readerGrants: [grant('app-1', '', 'read')] })
  const stranger = await send({ port: proxy.port }, { method: 'HEAD', path: '/bucket' })
  t.equal(stranger.status, 403)
  t.equal(stranger.headers['x-amz-bucket-region'], 'us-east-1', 'goofys asks so, without a signature')
  t.equal((await s3(reader, 'HEAD', '/bucket')).headers['x-amz-bucket-region'], 'us-east-1')
  const unknown = await send({ port: proxy.port }, { method: 'HEAD', path: '/no-such-bucket-at-all' })
  t.same(
    [unknown.status, unknown.headers['x-amz-bucket-region']],
    [stranger.status, stranger.headers['x-amz-bucket-region']],
    'a bucket that does not exist looks the same',
  )
})

t.test('sub-resources that clients probe need their own permission each', async (t) => {
  const { reader, proxy } = await start(t, { readerGrants: [grant('bucket', '', 'list', 'read')] })
  for (const name of ['location', 'versioning', 'uploads', 'versions']) {
    t.equal((await s3(reader, 'GET', '/bucket', { query: { [name]: '' } })).status, 200, name)
  }
  for (const name of ['acl', 'policy', 'cors', 'lifecycle', 'website', 'encryption', 'logging']) {
    t.equal((await s3(reader, 'GET', '/bucket', { query: { [name]: '' } })).code, 'AccessDenied', name)
  }
  const { client } = await start(t)
  t.equal((await s3(client, 'GET', '/bucket', { query: { acl: '' } })).status, 200)
  t.equal((await s3(client, 'GET', '/bucket', { query: { policy: '' } })).code, 'NoSuchBucketPolicy')
  await proxy.lastEvent()
  t.ok(proxy.events.every(({ status, attempts }) => (status === 403 ? attempts === 0 : attempts === 1)))
})

t.test('a preflight is answered by the bucket, for whoever asks, and carries nothing', async (t) => {
  const { client, proxy } = await start(t)
  const rule =
    '<CORSRule><AllowedOrigin>https://app.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>etag</ExposeHeader></CORSRule>'
  const body = `<CORSConfiguration>${rule}</CORSConfiguration>`
  const put = await s3(client, 'PUT', '/bucket', { query: { cors: '' }, body, headers: { 'content-md5': md5(body) } })
  t.equal(put.status, 200, put.text)
  const seen: { method: string; target: string; names: string[] }[] = []
  origin.faults.intercept = ({ method, target, fields }) => {
    if (method === 'OPTIONS') seen.push({ method, target, names: [...fields.keys()].sort() })
    return { type: 'proceed' }
  }
  const ask = (
    path: string,
    headers: Record<string, string>,
    side = { port: proxy.port } as Parameters<typeof send>[0],
  ) => send(side, { method: 'OPTIONS', path, headers })
  const wants = { origin: 'https://app.test', 'access-control-request-method': 'PUT' }
  const secret =
    'AWS4-HMAC-SHA256 Credential=AKIACLIENTTEST000000/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00'
  const answer = await ask('/bucket/a%20b?X-Amz-Signature=abc&X-Amz-Credential=x&acl', {
    ...wants,
    'access-control-request-headers': 'content-type',
    authorization: secret,
    cookie: 'a=b',
    'x-amz-copy-source': '/bucket/x',
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  })
  t.equal(answer.status, 200, answer.text)
  t.equal(answer.headers['access-control-allow-origin'], 'https://app.test')
  t.match(answer.headers['access-control-allow-methods'], 'PUT')
  t.match(seen[0]?.target, /^\/bucket\/a%20b$/, 'no query goes out')
  t.same(
    seen[0]?.names.filter((name) => !['connection', 'content-length', 'host', 'x-amz-content-sha256'].includes(name)),
    ['access-control-request-headers', 'access-control-request-method', 'origin'],
    'no credentials, no key, nothing of the client',
  )
  const other = await ask('/bucket/x', { ...wants, origin: 'https://evil.test' })
  t.equal(other.code, 'AccessForbidden')
  t.equal((await ask('/other/x', wants)).code, 'AccessForbidden', 'a bucket without CORS')
  t.equal((await ask('/bucket/x', {})).code, 'BadRequest', 'no browser')
  const plain = { port: proxy.plainPort, plain: true, host: '127.0.0.1' }
  t.equal((await ask('/bucket/x', wants, plain)).status, 200)
  const follow = await send(plain, { method: 'GET', path: '/bucket/x', headers: { origin: 'https://app.test' } })
  t.equal(follow.code, 'AccessDenied', 'the request itself still needs who may')
  t.equal((await ask('/', wants)).code, 'MethodNotAllowed')
  const got = await s3(client, 'GET', '/bucket', {
    query: { 'list-type': '2' },
    headers: { origin: 'https://app.test' },
  })
  t.equal(got.headers['access-control-allow-origin'], 'https://app.test', "the answer itself carries S3's CORS headers")
})

t.test('an early refusal says that the connection ends', async (t) => {
  const { client } = await start(t)
  origin.faults.intercept = () => ({
    type: 'answer',
    status: 503,
    body: '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
  })
  const { path, headers } = signedCall(client, 'PUT', '/bucket/early', {
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  })
  const slow = Readable.from(
    (async function* () {
      yield Buffer.alloc(100_000)
      await delay(60_000, undefined, { ref: false })
    })(),
  )
  const answer = await send(client, { method: 'PUT', path, headers: { ...headers, 'content-length': '5000000' } }, slow)
  t.equal(answer.status, 503)
  t.equal(answer.code, 'SlowDown')
  t.equal(answer.headers.connection, 'close')
  slow.destroy()
  origin.resetFaults()
  const whole = await s3(client, 'GET', '/bucket/none', { headers: { connection: 'keep-alive' } })
  t.not(whole.headers.connection, 'close', 'a request that is whole keeps its connection')
})

t.test('a region that is named in the document only is learned before the first upload', async (t) => {
  const { client } = await start(t, { overrides: { region: { type: 'learned', first: 'eu-west-1' } } })
  const seen: string[] = []
  origin.faults.intercept = ({ method, target, fields }) => {
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(fields.get('authorization') ?? '')?.[1] ?? ''
    seen.push(`${method} ${target} ${region}`)
    if (region === 'us-east-1') return { type: 'proceed' }
    const body =
      '<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>us-east-1</Region></Error>'
    return { type: 'answer', status: 400, body, afterBody: true }
  }
  const put = await s3(client, 'PUT', '/bucket/first', { body: 'streamed once' })
  t.equal(put.status, 200, put.text)
  t.same(seen.at(-1), 'PUT /bucket/first us-east-1')
  t.notOk(seen.some((line) => line.startsWith('PUT') && line.endsWith('eu-west-1')))
  for (const pass of ['lean', 'http-proxy'] as const) {
    const { client: other } = await start(t, {
      overrides: { region: { type: 'learned', first: 'eu-west-1' }, pass, maxSockets: 1, idleTimeoutMs: 1_000 },
    })
    const second = await s3(other, 'PUT', '/bucket/second', { body: 'streamed once' })
    t.equal(second.status, 200, `${pass}: the answer to that question holds no connection: ${second.text}`)
  }
})

t.test('Select and GetObjectAttributes refuse plain objects on a store that ignores needless keys', async (t) => {
  const { client, proxy } = await start(t)
  await s3(direct, 'PUT', '/bucket/in-the-clear', { body: 'a,b\n' })
  await s3(client, 'PUT', '/bucket/sealed', { body: 'a,b\n' })
  const attributes = { query: { attributes: '' }, headers: { 'x-amz-object-attributes': 'ObjectSize' } }
  const fine = await s3(client, 'GET', '/bucket/sealed', attributes)
  t.match(fine.text, '<ObjectSize>4</ObjectSize>')
  t.equal((await proxy.lastEvent())?.attempts, 2, 'a HEAD asked first')
  const asked: string[] = []
  origin.faults.intercept = ({ method }) => {
    asked.push(method)
    return { type: 'proceed' }
  }
  origin.faults.ignoreCustomerKeys = true
  const select = { query: { select: '', 'select-type': '2' }, body: '<SelectObjectContentRequest/>' }
  for (const [method, call] of [
    ['GET', attributes],
    ['POST', select],
  ] as const) {
    const refused = await s3(client, method, '/bucket/in-the-clear', call)
    t.equal(refused.code, 'AccessDenied')
    t.match(refused.text, 'plaintext: deny')
  }
  t.same(asked, ['HEAD', 'HEAD'], 'and the request itself never went out')
  origin.resetFaults()
  origin.faults.intercept = ({ method }) =>
    method === 'HEAD'
      ? { type: 'answer', status: 500 }
      : { type: 'answer', status: 200, body: '<GetObjectAttributesResponse/>' }
  t.equal((await s3(client, 'GET', '/bucket/in-the-clear', attributes)).status, 503, 'nobody could tell')
})
