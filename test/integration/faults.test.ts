import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, encryptedRule, keyringOf, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { s3, send, signedCall, type S3Side } from '../support/s3-client.js'

// The upstream lies, fails, or says too much; either side goes away in the middle.

const origin = await startTestOrigin({ buckets: ['bucket', 'versioned', 'plain'] })
origin.setVersioning('versioned', 'Enabled')
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}
const master = randomBytes(32)
const keyring = keyringOf('main', ['v1'], new Map([['v1', master]]))
const direct: S3Side = { port: origin.port, ...ORIGIN_CREDENTIALS }

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, keyrings: [keyring], ...options })
  return { proxy, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}

const stored = (bucket: string) => origin.objects(bucket).filter(({ deleteMarker }) => !deleteMarker)

t.test('a store that ignores the key: the write fails and nothing stays in the clear', async (t) => {
  const { proxy, client } = await start(t)
  origin.faults.ignoreCustomerKeys = true
  const put = await s3(client, 'PUT', '/bucket/clear', { body: 'secret text' })
  t.equal(put.status, 500)
  t.match(put.text, 'did not confirm encryption')
  t.equal((await proxy.lastEvent())?.outcome, 'encryption-unproven')
  t.same(stored('bucket'), [], 'the plain object is gone again')
  const versioned = await s3(client, 'PUT', '/versioned/clear', { body: 'secret text' })
  t.equal(versioned.status, 500)
  t.same(stored('versioned'), [], 'so is the very version that was made')
  const created = await s3(client, 'POST', '/bucket/clear', { query: { uploads: '' } })
  t.equal(created.status, 500, 'an upload that would not be encrypted is not begun')
})

t.test('half a proof, or the proof of another key, is none', async (t) => {
  const { client } = await start(t)
  for (const proof of ['none', 'algorithm-only', 'md5-only', 'other-md5'] as const) {
    origin.faults.proof = proof
    t.equal((await s3(client, 'PUT', '/bucket/unproven', { body: 'x' })).status, 500, proof)
    t.same(stored('bucket'), [], proof)
  }
})

t.test('plain objects are refused, or allowed by rule', async (t) => {
  await s3(direct, 'PUT', '/bucket/plain', { body: 'from before' })
  const strict = await start(t)
  t.equal((await s3(strict.client, 'GET', '/bucket/plain')).status, 400, "AWS's own answer to a needless key")
  origin.faults.ignoreCustomerKeys = true
  const lax = await s3(strict.client, 'GET', '/bucket/plain')
  t.equal(lax.code, 'AccessDenied', 'a store that answers 200 to a needless key')
  t.notMatch(lax.text, 'from before')
  origin.resetFaults()
  const mixed = await start(t, { rules: [encryptedRule('*', 'main', { plaintext: 'allow' })] })
  const got = await s3(mixed.client, 'GET', '/bucket/plain')
  t.equal(got.text, 'from before')
  t.equal((await mixed.proxy.lastEvent())?.keyVersion, 'plain')
  await s3(mixed.client, 'PUT', '/bucket/plain', { body: 'now encrypted' })
  t.equal((await s3(direct, 'GET', '/bucket/plain')).status, 400)
  t.equal((await s3(mixed.client, 'GET', '/bucket/plain')).text, 'now encrypted')
  await s3(direct, 'DELETE', '/bucket/plain')
})

t.test('no rule is a refusal, and a plain rule passes', async (t) => {
  const plainRule = {
    bucket: 'plain',
    prefix: '',
    keys: { type: 'plain' as const, clientKeys: 'reject' as const },
    etag: 'passthrough' as const,
  }
  const { client } = await start(t, { rules: [plainRule] })
  const refused = await s3(client, 'PUT', '/bucket/x', { body: 'x' })
  t.equal(refused.code, 'AccessDenied')
  t.match(refused.text, 'rules')
  t.same(stored('bucket'), [])
  t.equal((await s3(client, 'PUT', '/plain/x', { body: 'x' })).status, 200)
  t.equal((await s3(direct, 'GET', '/plain/x')).text, 'x')
})

t.test("a client's own keys", async (t) => {
  const own = (await import('node:crypto')).createSecretKey(randomBytes(32))
  const { targetHeaders } = await import('../../src/s3/customer-key.js')
  const headers = { ...targetHeaders(own) }
  const { client } = await start(t)
  t.equal((await s3(client, 'PUT', '/bucket/own', { body: 'x', headers })).code, 'InvalidArgument')
  const relaying = await start(t, { rules: [encryptedRule('*', 'main', { clientKeys: 'relay' })] })
  t.equal((await s3(relaying.client, 'PUT', '/bucket/own', { body: 'x', headers })).status, 200)
  t.equal((await s3(direct, 'GET', '/bucket/own', { headers })).text, 'x')
  const plainHop = { ...relaying.client, port: relaying.proxy.plainPort, plain: true }
  t.equal((await s3(plainHop, 'PUT', '/bucket/own', { body: 'x', headers })).code, 'InvalidRequest', 'no key over http')
  t.notMatch(relaying.proxy.logged(), headers['x-amz-server-side-encryption-customer-key']!)
  const sse = await s3(client, 'PUT', '/bucket/own', {
    body: 'x',
    headers: { 'x-amz-server-side-encryption': 'AES256' },
  })
  t.equal(sse.status, 200, 'a wish for another encryption is dropped')
  await s3(direct, 'DELETE', '/bucket/own')
})

t.test('an error document that quotes what was signed does not reach the client', async (t) => {
  const { proxy, client } = await start(t)
  let key = ''
  const quoting = (code: string) => {
    origin.faults.intercept = ({ fields }) => {
      key = fields.get('x-amz-server-side-encryption-customer-key') ?? ''
      const body = `<Error><Code>${code}</Code><Message>no</Message><CanonicalRequest>key:${key}</CanonicalRequest></Error>`
      return { type: 'answer', status: 403, body, afterBody: true }
    }
  }
  for (const code of ['SignatureDoesNotMatch', 'InvalidArgument', 'AccessDenied']) {
    quoting(code)
    const answer = await s3(client, 'PUT', '/bucket/x', { body: 'x' })
    t.ok(key.length === 44, 'the key was sent')
    t.ok(answer.status >= 400)
    t.notMatch(answer.text, key, code)
    t.notMatch(proxy.logged(), key)
  }
})

t.test('SSE-C is blocked on the bucket: the answer says so and names the remedy', async (t) => {
  const { client } = await start(t)
  origin.setBlockedEncryptionTypes('bucket', ['SSE-C'])
  const answer = await s3(client, 'PUT', '/bucket/x', { body: 'x' })
  origin.setBlockedEncryptionTypes('bucket', [])
  t.equal(answer.status, 403)
  t.match(answer.text, 'BlockedEncryptionTypes')
})

t.test('redirects are not followed', async (t) => {
  const { client } = await start(t)
  const seen: string[] = []
  origin.faults.intercept = ({ target }) => {
    seen.push(target)
    return {
      type: 'answer',
      status: 307,
      headers: { location: `https://localhost:${origin.port}/elsewhere` },
      afterBody: true,
    }
  }
  const answer = await s3(client, 'PUT', '/bucket/x', { body: 'x' })
  t.equal(answer.status, 503)
  t.equal(answer.headers.location, undefined)
  t.same(seen, ['/bucket/x'])
})

t.test('the upstream goes away: before an answer, and in the middle of a download', async (t) => {
  const { proxy, client } = await start(t)
  const body = randomBytes(3_000_000)
  await s3(client, 'PUT', '/bucket/big', { body })
  origin.faults.intercept = () => ({ type: 'destroy' })
  const gone = await s3(client, 'GET', '/bucket/big')
  t.equal(gone.status, 503, 'clients repeat a 503')
  t.equal(gone.headers['retry-after'], '1')
  origin.resetFaults()
  origin.faults.truncateBodies = 1_000_000
  await t.rejects(s3(client, 'GET', '/bucket/big'), 'the client sees a broken transfer, not a short file')
  t.equal((await proxy.lastEvent())?.outcome, 'upstream-failed')
})

t.test('the client goes away: the upstream is left at once and no object is made', async (t) => {
  const { proxy, client } = await start(t)
  await t.rejects(
    send(
      client,
      { method: 'GET', path: '/bucket/big', headers: signedCall(client, 'GET', '/bucket/big').headers },
      Buffer.alloc(0),
      (request) => request.on('response', (answer) => answer.once('data', () => request.destroy())),
    ),
  )
  t.equal((await proxy.lastEvent())?.outcome, 'client-gone')
  const { headers } = signedCall(client, 'PUT', '/bucket/half', {
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  })
  await t.rejects(
    send(
      client,
      { method: 'PUT', path: '/bucket/half', headers: { ...headers, 'content-length': 1_000_000 } },
      endless(),
      (request) => setTimeout(() => request.destroy(), 100),
    ),
  )
  await proxy.lastEvent()
  t.notOk(stored('bucket').some(({ objectKey }) => objectKey === 'half'))
})

t.test('100-continue comes after authorisation and key: a refused upload is never sent', async (t) => {
  const { client } = await start(t)
  const ask = async (headers: Record<string, string>) => {
    let continued = false
    const answer = await send(
      client,
      { method: 'PUT', path: '/bucket/continue', headers: { ...headers, expect: '100-continue', 'content-length': 5 } },
      slowBody(),
      (request) => request.on('continue', () => (continued = true)).flushHeaders(),
    )
    return { status: answer.status, continued }
  }
  const good = signedCall(client, 'PUT', '/bucket/continue', { body: 'hello' }).headers
  t.same(await ask(good), { status: 200, continued: true })
  t.same(await ask({ ...good, authorization: good.authorization!.replace(/.$/, 'x') }), {
    status: 403,
    continued: false,
  })
  const stranger = signedCall({ ...client, secretAccessKey: 'no' }, 'PUT', '/bucket/continue', {
    body: 'hello',
  }).headers
  t.same(await ask(stranger), { status: 403, continued: false })
})

t.test('what is logged holds no key and no secret', async (t) => {
  const { proxy, client } = await start(t)
  await s3(client, 'PUT', '/bucket/logged', { body: 'x', headers: { 'x-amz-meta-a': 'b' } })
  await s3(client, 'GET', '/bucket/logged')
  const sent: string[] = []
  origin.faults.intercept = ({ fields }) => {
    sent.push(fields.get('x-amz-server-side-encryption-customer-key') ?? 'none')
    return { type: 'proceed' }
  }
  await s3(client, 'GET', '/bucket/logged')
  t.equal(sent.length, 1)
  const log = proxy.logged()
  for (const secret of [
    ...sent,
    master.toString('base64'),
    master.toString('hex'),
    CLIENT.secretAccessKey,
    ORIGIN_CREDENTIALS.secretAccessKey,
  ]) {
    t.notOk(log.includes(secret))
  }
  t.match(log, 'PutObject', 'and yet there is a line for each request')
})

function endless() {
  return Readable.from(drip())
}
async function* drip() {
  for (let i = 0; i < 50; i += 1) {
    yield Buffer.alloc(1000)
    await delay(10)
  }
}
function slowBody() {
  return Readable.from(
    (async function* () {
      await delay(100)
      yield Buffer.from('hello')
    })(),
  )
}

t.test('the anonymous listener answers programs of this machine, not web pages', async (t) => {
  const { proxy } = await start(t)
  const ask = (headers: Record<string, string>) =>
    send({ port: proxy.plainPort, plain: true }, { method: 'GET', path: '/bucket?list-type=2', headers })
  t.equal((await ask({ host: `localhost:${proxy.plainPort}` })).status, 200)
  t.equal((await ask({ host: `127.0.0.1:${proxy.plainPort}` })).status, 200)
  t.equal((await ask({ host: 'rebound.example.com' })).code, 'AccessDenied', 'a name that resolves to 127.0.0.1')
  t.equal((await ask({ host: 'localhost', origin: 'https://example.com' })).code, 'AccessDenied')
  const { headers } = await send(
    { port: proxy.port },
    { method: 'GET', path: '/bucket', headers: { host: 'localhost' } },
  )
  t.equal(headers['content-type'], 'application/xml', 'https has no anonymous identity at all')
})
