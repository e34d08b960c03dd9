import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { copySourceHeaders, targetHeaders } from '../../src/s3/customer-key.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, encryptedRule, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { registerSecret } from '../support/record.js'
import { s3, type S3Side } from '../support/s3-client.js'

// A client's own SSE-C headers: refused by default, relayed where the rule says so, for every operation that takes them.

const origin = await startTestOrigin({ buckets: ['bucket', 'clear'], minimumPartSize: 1 })
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}
const direct: S3Side = { ...upstream }

function ownKey(name: string) {
  const bytes = randomBytes(32)
  registerSecret(`client's own key ${name}`, bytes)
  const key = createSecretKey(bytes)
  return {
    bytes,
    base64: bytes.toString('base64'),
    target: { ...targetHeaders(key) },
    source: { ...copySourceHeaders(key) },
  }
}

const relay = encryptedRule('*', 'main', { clientKeys: 'relay' })
async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, rules: [relay], ...options })
  return { proxy, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}
const uploadIdOf = (text: string) => /<UploadId>(.+)<\/UploadId>/.exec(text)![1]!
const completion = (etag: string) =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`

t.test('relayed keys open, encrypt, copy and assemble, on both sides of a copy', async (t) => {
  const { client, proxy } = await start(t)
  const one = ownKey('one')
  const two = ownKey('two')
  const wire = '/bucket/own/a%20b%2Bc'
  const put = await s3(client, 'PUT', wire, { body: 'own bytes', headers: one.target })
  t.equal(put.status, 200, put.text)
  const md5 = one.target['x-amz-server-side-encryption-customer-key-md5']
  t.equal(put.headers['x-amz-server-side-encryption-customer-key-md5'], md5, 'who brought the key sees its MD5')
  t.equal((await s3(client, 'GET', wire, { headers: one.target })).text, 'own bytes')
  t.equal((await s3(direct, 'GET', wire, { headers: one.target })).text, 'own bytes', 'stored under that very key')
  t.equal((await s3(client, 'HEAD', wire, { headers: one.target })).status, 200)
  t.equal((await s3(client, 'GET', wire, { headers: two.target })).status, 403, 'another key')
  const attributes = { 'x-amz-object-attributes': 'ObjectSize' }
  const asked = await s3(client, 'GET', wire, { query: { attributes: '' }, headers: { ...one.target, ...attributes } })
  t.match(asked.text, '<ObjectSize>9</ObjectSize>')
  const other = await s3(client, 'GET', wire, { query: { attributes: '' }, headers: { ...two.target, ...attributes } })
  t.equal(other.code, 'AccessDenied')

  const copies: [string, Record<string, string>, Record<string, string>][] = [
    ['own to own', { ...one.source, ...two.target }, two.target],
    ['own to the rule', one.source, {}],
  ]
  for (const [name, headers, reading] of copies) {
    const to = `/bucket/copies/${name.replaceAll(' ', '-')}`
    const copied = await s3(client, 'PUT', to, { headers: { ...headers, 'x-amz-copy-source': wire } })
    t.equal(copied.status, 200, `${name} ${copied.text}`)
    t.equal((await s3(client, 'GET', to, { headers: reading })).text, 'own bytes', name)
  }
  await s3(client, 'PUT', '/bucket/ruled', { body: 'under the rule' })
  const taken = await s3(client, 'PUT', '/bucket/copies/taken', {
    headers: { ...two.target, 'x-amz-copy-source': '/bucket/ruled' },
  })
  t.equal(taken.status, 200, taken.text)
  t.equal((await s3(direct, 'GET', '/bucket/copies/taken', { headers: two.target })).text, 'under the rule')

  const created = await s3(client, 'POST', '/bucket/parts', { query: { uploads: '' }, headers: two.target })
  const uploadId = uploadIdOf(created.text)
  const part = { partNumber: '1', uploadId }
  const wrong = await s3(client, 'PUT', '/bucket/parts', { query: part, body: 'x', headers: one.target })
  t.equal(wrong.code, 'InvalidRequest', 'another key than at the creation')
  const mine = await s3(client, 'PUT', '/bucket/parts', { query: part, body: 'x' })
  t.equal(mine.code, 'InvalidRequest', "the rule's key for an upload of the client's own")
  const copied = await s3(client, 'PUT', '/bucket/parts', {
    query: part,
    headers: { ...one.source, ...two.target, 'x-amz-copy-source': wire },
  })
  t.equal(copied.status, 200, copied.text)
  const etag = /<ETag>(.+)<\/ETag>/.exec(copied.text)![1]!
  t.equal(
    (await s3(client, 'GET', '/bucket/parts', { query: { uploadId }, headers: two.target })).status,
    200,
    'ListParts',
  )
  const done = await s3(client, 'POST', '/bucket/parts', {
    query: { uploadId },
    headers: two.target,
    body: completion(etag),
  })
  t.equal(done.status, 200, done.text)
  t.equal((await s3(client, 'GET', '/bucket/parts', { headers: two.target })).text, 'own bytes')
  t.notMatch(proxy.logged(), one.base64)
  t.notMatch(proxy.logged(), two.base64)
})

t.test('rejected by default, on both sides and in both cases of letters, and nothing goes out', async (t) => {
  const { client, proxy } = await start(t, { rules: [encryptedRule('*', 'main')] })
  const own = ownKey('rejected')
  const upper = Object.fromEntries(Object.entries(own.target).map(([name, value]) => [name.toUpperCase(), value]))
  const copy = { 'x-amz-copy-source': '/bucket/x' }
  const calls: [string, string, object][] = [
    ['PUT', '/bucket/x', { body: 'x', headers: own.target }],
    ['GET', '/bucket/x', { headers: own.target }],
    ['HEAD', '/bucket/x', { headers: own.target }],
    ['PUT', '/bucket/x', { headers: { ...copy, ...own.source } }],
    ['POST', '/bucket/x', { query: { uploads: '' }, headers: own.target }],
    ['PUT', '/bucket/x', { query: { partNumber: '1', uploadId: 'u' }, body: 'x', headers: own.target }],
    ['PUT', '/bucket/x', { query: { partNumber: '1', uploadId: 'u' }, headers: { ...copy, ...own.source } }],
    ['POST', '/bucket/x', { query: { uploadId: 'u' }, body: completion('"e"'), headers: own.target }],
    ['GET', '/bucket/x', { query: { uploadId: 'u' }, headers: own.target }],
    ['GET', '/bucket/x', { query: { attributes: '' }, headers: own.target }],
    ['POST', '/bucket/x', { query: { select: '', 'select-type': '2' }, body: '<x/>', headers: own.target }],
    ['GET', '/bucket/x', { headers: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } }],
    [
      'GET',
      '/bucket/x',
      {
        tamper: (headers: Record<string, string>) => {
          for (const name of Object.keys(own.target)) Reflect.deleteProperty(headers, name)
          Object.assign(headers, upper)
        },
        headers: own.target,
      },
    ],
  ]
  for (const [method, path, call] of calls) {
    const answer = await s3(client, method, path, call)
    t.equal(answer.status, 400, `${method} ${JSON.stringify(call).slice(0, 60)} ${answer.text}`)
    if (method !== 'HEAD') t.match(answer.text, 'clientKeys: relay')
    t.notMatch(answer.text, own.base64)
  }
  await proxy.lastEvent()
  t.ok(proxy.events.every(({ attempts }) => attempts === 0))
  t.same(origin.uploads(), [])
})

t.test('what S3 would refuse never leaves, and no error repeats the key', async (t) => {
  const { client, proxy } = await start(t)
  const own = ownKey('malformed')
  const name = 'x-amz-server-side-encryption-customer-'
  const bad: [string, Record<string, string>, string][] = [
    ['short key', { ...own.target, [`${name}key`]: own.base64.slice(0, 24) }, 'InvalidArgument'],
    ['MD5 of the text', { ...own.target, [`${name}key-md5`]: md5Of(own.base64) }, 'InvalidArgument'],
    ['algorithm', { ...own.target, [`${name}algorithm`]: 'AES512' }, 'InvalidEncryptionAlgorithmError'],
    ['twice', { ...own.target, [`${name}key`]: `${own.base64},${own.base64}` }, 'InvalidArgument'],
    ['SSE-S3 too', { ...own.target, 'x-amz-server-side-encryption': 'AES256' }, 'InvalidArgument'],
    ['key alone', { [`${name}key`]: own.base64 }, 'InvalidArgument'],
  ]
  for (const [what, headers, code] of bad) {
    const answer = await s3(client, 'PUT', '/bucket/bad', { body: 'x', headers })
    t.equal(answer.code, code, what)
    t.notMatch(answer.text, own.base64.slice(0, 20), what)
    const source = Object.fromEntries(
      Object.entries(headers).map(([header, value]) => [
        header.replace('x-amz-server', 'x-amz-copy-source-server'),
        value,
      ]),
    )
    if (what === 'SSE-S3 too') continue
    const copied = await s3(client, 'PUT', '/bucket/bad', { headers: { ...source, 'x-amz-copy-source': '/bucket/x' } })
    t.equal(copied.code, code, `${what}, of the source`)
  }
  await proxy.lastEvent()
  t.ok(
    proxy.events.every(({ attempts }) => attempts === 0),
    'nothing went to the upstream',
  )
  t.notMatch(proxy.logged(), own.base64.slice(0, 20))
})

t.test('a key does not travel over plain http, in whatever scope', async (t) => {
  const plain = {
    bucket: 'clear',
    prefix: '',
    keys: { type: 'plain' as const, clientKeys: 'relay' as const },
    etag: 'passthrough' as const,
  }
  const { proxy, client } = await start(t, { rules: [relay, plain] })
  const own = ownKey('plain hop')
  const loopback: S3Side = { port: proxy.plainPort, plain: true, host: '127.0.0.1', ...CLIENT }
  for (const bucket of ['bucket', 'clear']) {
    const put = await s3(loopback, 'PUT', `/${bucket}/hop`, { body: 'x', headers: own.target })
    t.match(put.text, 'must be made over a secure connection', bucket)
    const copied = await s3(loopback, 'PUT', `/${bucket}/hop`, {
      headers: { ...own.source, 'x-amz-copy-source': `/${bucket}/x` },
    })
    t.match(copied.text, 'must be made over a secure connection', `${bucket}, of the source`)
  }
  const put = await s3(client, 'PUT', '/clear/own', { body: 'own, in a plain scope', headers: own.target })
  t.equal(put.status, 200, put.text)
  t.equal((await s3(direct, 'GET', '/clear/own')).status, 400, 'encrypted')
  t.equal((await s3(client, 'GET', '/clear/own', { headers: own.target })).text, 'own, in a plain scope')
})

t.test('a relayed write is believed only with the proof of that very key', async (t) => {
  const { client } = await start(t)
  const own = ownKey('proof')
  for (const proof of ['none', 'algorithm-only', 'md5-only', 'other-md5'] as const) {
    origin.faults.proof = proof
    const put = await s3(client, 'PUT', `/bucket/proof-${proof}`, { body: 'x', headers: own.target })
    t.equal(put.code, 'InternalError', proof)
    t.notOk(
      origin.objects('bucket').some(({ objectKey }) => objectKey === `proof-${proof}`),
      'taken back',
    )
  }
  origin.resetFaults()
  await s3(direct, 'PUT', '/bucket/in-the-clear', { body: 'in the clear' })
  origin.faults.ignoreCustomerKeys = true
  const read = await s3(client, 'GET', '/bucket/in-the-clear', { headers: own.target })
  t.match(read.text, 'plaintext: deny', 'a store that ignores the key of a plain object')
  const attributes = { query: { attributes: '' }, headers: { ...own.target, 'x-amz-object-attributes': 'ObjectSize' } }
  t.match((await s3(client, 'GET', '/bucket/in-the-clear', attributes)).text, 'plaintext: deny')
})

t.test("read-back: an upload under the client's key proves itself by its parts, copied ones too", async (t) => {
  const { client } = await start(t, { overrides: { proof: 'read-back' } })
  const own = ownKey('read-back')
  await s3(client, 'PUT', '/bucket/part-source', { body: 'copied', headers: own.target })
  const headers = own.target
  origin.faults.proof = 'none'
  const created = await s3(client, 'POST', '/bucket/by-parts', { query: { uploads: '' }, headers })
  t.equal(created.status, 200, 'no object is there yet, and MinIO proves nothing here')
  const part = { partNumber: '1', uploadId: uploadIdOf(created.text) }
  const put = () => s3(client, 'PUT', '/bucket/by-parts', { query: part, body: 'part', headers })
  t.equal((await put()).code, 'InternalError', 'a part must prove itself: completion brings no key to look with')
  const copied = await s3(client, 'PUT', '/bucket/by-parts', {
    query: part,
    headers: { ...headers, ...own.source, 'x-amz-copy-source': '/bucket/part-source' },
  })
  t.equal(copied.code, 'InternalError', 'and so must a part that is copied')
  origin.resetFaults()
  const { uploadId } = part
  const sent = await put()
  t.equal(sent.status, 200, sent.text)
  const body = completion(String(sent.headers.etag))
  t.equal((await s3(client, 'POST', '/bucket/by-parts', { query: { uploadId }, body })).status, 200)
  t.equal((await s3(client, 'GET', '/bucket/by-parts', { headers })).text, 'part')
  t.equal((await s3(direct, 'GET', '/bucket/by-parts')).status, 400, 'encrypted')
})

t.test('a relayed write says clearly what a read without its key then meets, and poisons no memory', async (t) => {
  const { client, proxy } = await start(t)
  const own = ownKey('memory')
  await s3(client, 'PUT', '/bucket/mixed', { body: "the rule's" })
  t.equal((await s3(client, 'GET', '/bucket/mixed')).status, 200)
  await s3(client, 'PUT', '/bucket/mixed', { body: 'own', headers: own.target })
  const refused = await s3(client, 'GET', '/bucket/mixed')
  t.equal(refused.status, 403)
  t.match(refused.text, 'a client brought itself')
  t.notMatch(refused.text, own.base64)
  t.equal((await s3(client, 'GET', '/bucket/mixed', { headers: own.target })).text, 'own')
  const event = await proxy.lastEvent()
  t.same([event?.keyring, event?.keyVersion], ['none', 'none'], 'the log names no keyring for it')
  await s3(client, 'PUT', '/bucket/mixed', { body: "the rule's again" })
  t.equal((await s3(client, 'GET', '/bucket/mixed')).text, "the rule's again")
  t.equal((await s3(client, 'GET', '/bucket/mixed', { headers: own.target })).status, 403)
})

t.test('a key in the query of a presigned URL is refused and shown nowhere', async (t) => {
  const { client, proxy } = await start(t)
  const own = ownKey('query')
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  const sdk = new S3Client({
    endpoint: `https://localhost:${proxy.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: CLIENT.accessKeyId, secretAccessKey: CLIENT.secretAccessKey },
  })
  const command = new GetObjectCommand({
    Bucket: 'bucket',
    Key: 'x',
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: own.base64,
  })
  const url = new URL(
    await getSignedUrl(sdk, command, { expiresIn: 60, hoistableHeaders: new Set(Object.keys(own.target)) }),
  )
  sdk.destroy()
  t.ok(url.searchParams.has('x-amz-server-side-encryption-customer-key'), 'the SDK can be made to put the key there')
  const { send } = await import('../support/s3-client.js')
  const answer = await send(client, {
    method: 'GET',
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host },
  })
  t.equal(answer.code, 'InvalidArgument', answer.text)
  url.searchParams.set('X-Amz-Signature', '0'.repeat(64))
  const forged = await send(client, {
    method: 'GET',
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host },
  })
  t.equal(forged.code, 'SignatureDoesNotMatch')
  for (const text of [answer.text, forged.text, proxy.logged()]) {
    t.notOk(text.includes(own.base64) || text.includes(encodeURIComponent(own.base64)), 'the key is not shown')
  }
})

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('base64')
}
