import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import {
  CLIENT,
  READER,
  encryptedRule,
  keyringOf,
  startTestProxy,
  type TestProxyOptions,
} from '../support/proxy-in-process.js'
import { s3, send, signedCall, type S3Side } from '../support/s3-client.js'

// What a hostile client, a hostile network or an unlucky operator can make of the pipeline between its stages.

const origin = await startTestOrigin({ buckets: ['bucket', 'locked', 'service'] })
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}
const bytes = new Map(['v1', 'v2'].map((id) => [id, createHash('sha256').update(`review ${id}`).digest()]))
const old = keyringOf('main', ['v1'], bytes)
const rotated = keyringOf('main', ['v1', 'v2'], bytes)

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, keyrings: [rotated], ...options })
  return { proxy, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}

const stored = (name: string) => origin.objects('bucket').some(({ objectKey }) => objectKey === name)

t.test('reads that try several keys need one connection at a time', async (t) => {
  const before = await start(t, { keyrings: [old] })
  for (const name of ['a', 'b', 'c', 'd']) await s3(before.client, 'PUT', `/bucket/old-${name}`, { body: name })
  const { client } = await start(t, { overrides: { maxSockets: 2, idleTimeoutMs: 3_000 } })
  const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => s3(client, 'GET', `/bucket/old-${name}`)))
  t.same(
    answers.map(({ status, text }) => [status, text]),
    ['a', 'b', 'c', 'd'].map((name) => [200, name]),
    'more clients than connections, two attempts each',
  )
})

t.test('an object that is written anew between two attempts is read all the same', async (t) => {
  const before = await start(t, { keyrings: [old] })
  const now = await start(t)
  const plain = { port: origin.port, ...ORIGIN_CREDENTIALS, region: 'us-east-1' }
  const mixed = await start(t, { rules: [encryptedRule('*', 'main', { plaintext: 'allow' })] })
  const reads = [
    { name: 'GET', from: before, by: now, read: (key: string) => s3(now.client, 'GET', key) },
    { name: 'HEAD', from: before, by: now, read: (key: string) => s3(now.client, 'HEAD', key) },
    {
      name: 'CopyObject',
      from: before,
      by: now,
      read: (key: string) => s3(now.client, 'PUT', '/bucket/copy', { headers: { 'x-amz-copy-source': key } }),
    },
    { name: 'plain', from: { client: plain }, by: mixed, read: (key: string) => s3(mixed.client, 'GET', key) },
  ]
  for (const { name, from, by, read } of reads) {
    const key = `/bucket/moved-${name}`
    t.equal((await s3(from.client, 'PUT', key, { body: 'old' })).status, 200)
    let seen = 0
    origin.faults.intercept = async ({ method }) => {
      // The first attempt, with the new key, was refused: now the object moves, before the last of the others arrives.
      if (method === (name === 'CopyObject' ? 'PUT' : name === 'HEAD' ? 'HEAD' : 'GET')) seen += 1
      const last = name === 'plain' ? 3 : 2
      if (seen !== last) return { type: 'proceed' }
      seen += 1
      origin.faults.intercept = () => ({ type: 'proceed' })
      t.equal((await s3(by.client, 'PUT', key, { body: 'new' })).status, 200)
      return { type: 'proceed' }
    }
    const answer = await read(key)
    t.equal(answer.status, 200, name)
    t.ok(seen > 0, 'it moved')
    if (name === 'GET' || name === 'plain') t.equal(answer.text, 'new')
    origin.resetFaults()
  }
})

t.test('where no key fits the client sees the first answer, whole', async (t) => {
  const { client } = await start(t)
  let count = 0
  origin.faults.intercept = () => {
    count += 1
    const body = `<Error><Code>InvalidRequest</Code><Message>answer ${count}</Message></Error>`
    return { type: 'answer', status: 400, body }
  }
  const answer = await s3(client, 'GET', '/bucket/any')
  t.equal(answer.status, 400)
  t.match(answer.text, 'answer 1')
  t.equal(count, 3, 'the new key, the old one, and the new one again')
})

t.test('more bytes than declared leave no object, in chunked transfer too', async (t) => {
  const { client } = await start(t)
  const head = signedCall(client, 'PUT', '/bucket/overrun', {
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-decoded-content-length': '5' },
  })
  const headers = { ...head.headers, 'transfer-encoding': 'chunked' }
  const more = Readable.from(
    (async function* () {
      yield Buffer.from('hello')
      await delay(200)
      yield Buffer.from(' and more')
    })(),
  )
  const answer = await send(client, { method: 'PUT', path: head.path, headers }, more)
  t.equal(answer.code, 'IncompleteBody')
  t.notOk(stored('overrun'), 'the upstream never had the last byte')
  const cut = Readable.from(
    (async function* () {
      yield Buffer.from('hello')
      await delay(100_000, undefined, { ref: false })
    })(),
  )
  await t.rejects(
    send(client, { method: 'PUT', path: head.path, headers }, cut, (request) =>
      setTimeout(() => request.destroy(), 200),
    ),
  )
  await delay(100)
  t.notOk(stored('overrun'), 'a body whose end never came')
})

t.test('the retention bypass needs its grant however the header is written', async (t) => {
  const readerGrants = [{ bucket: '*', prefixes: [''], permissions: ['delete' as const] }]
  const { proxy } = await start(t, { readerGrants })
  const reader: S3Side = { port: proxy.port, ...READER }
  for (const value of ['true', 'True', 'true,true', 'TRUE\t']) {
    const answer = await s3(reader, 'DELETE', '/bucket/kept', {
      headers: { 'x-amz-bypass-governance-retention': value },
    })
    t.equal(answer.code, 'AccessDenied', JSON.stringify(value))
  }
  await proxy.lastEvent()
  t.same(
    proxy.events.map(({ attempts }) => attempts),
    [0, 0, 0, 0],
  )
})

t.test('answers are asked for uncompressed, and a compressed error is not taken for harmless', async (t) => {
  const { client } = await start(t)
  let key = ''
  let coding: string | undefined
  origin.faults.intercept = ({ fields }) => {
    key = fields.get('x-amz-server-side-encryption-customer-key') ?? ''
    coding = fields.get('accept-encoding')
    const document = `<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>${key}</CanonicalRequest></Error>`
    return {
      type: 'answer',
      status: 403,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(document),
      afterBody: true,
    }
  }
  const answer = await s3(client, 'PUT', '/bucket/x', { body: 'x', headers: { 'accept-encoding': 'gzip' } })
  t.equal(coding === undefined || coding === 'identity', true, 'no compression is asked for')
  t.equal(answer.headers['content-encoding'], undefined)
  t.match(answer.text, '<Code>')
  t.not(answer.body.subarray(0, 2).toString('hex'), '1f8b', 'what cannot be read is not passed on')
})

t.test('no form of the key in an error or in a header', async (t) => {
  const { client, proxy } = await start(t)
  const forms: ((key: string) => string)[] = [
    (key) => key,
    (key) => Buffer.from(key).toString('hex').replace(/../g, '$& '),
    (key) => key.replaceAll('+', '&#43;').replaceAll('/', '&#x2F;').replaceAll('=', '&#61;'),
    (key) => Buffer.from(key, 'base64').toString('hex').toUpperCase(),
    (key) => encodeURIComponent(key),
  ]
  for (const [i, form] of forms.entries()) {
    let shown = 'never asked'
    origin.faults.intercept = ({ fields }) => {
      const key = fields.get('x-amz-server-side-encryption-customer-key') ?? ''
      shown = form(key)
      return {
        type: 'answer',
        status: 400,
        headers: { 'x-amz-server-side-encryption-customer-key': key },
        body: `<Error><Code>InvalidArgument</Code><Message>m</Message><ArgumentValue>${shown}</ArgumentValue></Error>`,
        afterBody: true,
      }
    }
    const answer = await s3(client, 'PUT', '/bucket/x', { body: 'x' })
    t.notOk(answer.text.includes(shown), `form ${i}`)
    t.notOk('x-amz-server-side-encryption-customer-key' in answer.headers)
    t.notOk(proxy.logged().includes(shown))
  }
})

t.test('a client that leaves before the answer is not the fault of the upstream', async (t) => {
  const { client, proxy } = await start(t)
  origin.faults.intercept = () => ({ type: 'hang' })
  const { headers } = signedCall(client, 'GET', '/bucket/slow')
  await t.rejects(
    send(client, { method: 'GET', path: '/bucket/slow', headers }, Buffer.alloc(0), (request) =>
      setTimeout(() => request.destroy(), 150),
    ),
  )
  await delay(100)
  const event = await proxy.lastEvent()
  t.equal(event?.outcome, 'client-gone')
  t.equal(event?.status, 499)
})

t.test('an error answer that breaks off is the upstream failing', async (t) => {
  const { client, proxy } = await start(t, { overrides: { idleTimeoutMs: 500 } })
  origin.faults.intercept = () => ({
    type: 'answer',
    status: 404,
    headers: { 'content-length': '1000' },
    body: '<Error><Code>NoSuch',
  })
  const answer = await s3(client, 'GET', '/bucket/broken').catch(() => 'connection broken' as const)
  const event = await proxy.lastEvent()
  t.equal(event?.outcome, 'upstream-failed')
  t.not(answer, 'connection broken')
  if (typeof answer !== 'string') t.equal(answer.status, 503)
})

t.test('a refused request without a body keeps its connection', async (t) => {
  const { client } = await start(t)
  const { headers } = signedCall({ ...client, secretAccessKey: 'wrong' }, 'GET', '/bucket/x')
  const answer = await send(client, {
    method: 'GET',
    path: '/bucket/x',
    headers: { ...headers, connection: 'keep-alive' },
  })
  t.equal(answer.status, 403)
  t.not(answer.headers.connection, 'close')
})

t.test('the region is learned from the document too', async (t) => {
  const { client } = await start(t, {
    overrides: { region: { type: 'learned', first: 'eu-west-1' } },
  })
  const scopes: string[] = []
  origin.faults.intercept = ({ fields }) => {
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(fields.get('authorization') ?? '')?.[1] ?? ''
    scopes.push(region)
    if (region === 'us-east-1') return { type: 'proceed' }
    const body =
      '<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>us-east-1</Region></Error>'
    return { type: 'answer', status: 400, body }
  }
  const answer = await s3(client, 'GET', '/bucket', { query: { 'list-type': '2' } })
  t.equal(answer.status, 200, answer.text)
  t.same(scopes, ['eu-west-1', 'us-east-1'])
})

t.test('a preflight teaches no region: it has no signature that could have been taken', async (t) => {
  const { client } = await start(t, { overrides: { region: { type: 'learned', first: 'eu-west-1' } } })
  const seen: string[] = []
  origin.faults.intercept = ({ method, fields }) => {
    seen.push(method)
    if (method === 'OPTIONS') return { type: 'answer', status: 200 }
    if (fields.get('authorization')?.includes('/us-east-1/') === true) return { type: 'proceed' }
    return { type: 'answer', status: 400, headers: { 'x-amz-bucket-region': 'us-east-1' } }
  }
  const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' }
  const asked = await send(client, { method: 'OPTIONS', path: '/bucket/upload', headers })
  t.equal(asked.status, 200, asked.text)
  const put = await s3(client, 'PUT', '/bucket/upload', { body: 'a body is sent once' })
  t.equal(put.status, 200, put.text)
  t.same(seen, ['OPTIONS', 'HEAD', 'PUT'], 'the region is asked for before a body goes out')
})

t.test('a bucket named service has a region of its own', async (t) => {
  const { client } = await start(t, {
    overrides: { region: { type: 'learned', first: 'eu-west-1' } },
  })
  const scopes: string[] = []
  origin.faults.intercept = ({ method, fields }) => {
    const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(fields.get('authorization') ?? '')?.[1] ?? ''
    scopes.push(`${method} ${region}`)
    if (region === 'us-east-1') return { type: 'proceed' }
    return { type: 'answer', status: 400, headers: { 'x-amz-bucket-region': 'us-east-1' } }
  }
  const put = await s3(client, 'PUT', '/service/upload', { body: 'a body is sent once' })
  t.equal(put.status, 200, put.text)
  const got = await s3(client, 'GET', '/service/upload')
  t.equal(got.text, 'a body is sent once')
  t.same(scopes, ['HEAD eu-west-1', 'PUT us-east-1', 'GET us-east-1'])

  scopes.length = 0
  const other = await start(t, { overrides: { region: { type: 'learned', first: 'eu-west-1' } } })
  t.equal((await s3(other.client, 'GET', '/service/upload')).text, 'a body is sent once')
  t.same(scopes, ['GET eu-west-1', 'GET us-east-1'], 'a read is sent again where its answer tells the region')
})

t.test('pipelined downloads whose client leaves hold no connection to the upstream', async (t) => {
  const { client, proxy } = await start(t, { overrides: { maxSockets: 3, idleTimeoutMs: 2_000 } })
  await s3(client, 'PUT', '/bucket/large', { body: randomBytes(20_000_000) })
  const socket = connect({ host: 'localhost', port: proxy.port, ca: testCertificates().authority.cert })
  socket.on('error', () => undefined)
  const head = () => {
    const { headers } = signedCall(client, 'GET', '/bucket/large')
    return `GET /bucket/large HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`
  }
  socket.write(head() + head() + head())
  await delay(500)
  socket.destroy()
  await delay(200)
  await proxy.lastEvent()
  t.same(
    proxy.events.slice(1).map(({ outcome }) => outcome),
    ['client-gone'],
    'those behind it were never begun',
  )
  const { status } = await s3(client, 'HEAD', '/bucket/large')
  t.equal(status, 200)
})

t.test('an oversized document is refused while it streams, framed or not', async (t) => {
  const { client } = await start(t)
  const body = Buffer.alloc(9_000_000, ' ')
  const plain = await s3(client, 'POST', '/bucket', { query: { delete: '' }, body }).catch(String)
  if (typeof plain !== 'string') t.equal(plain.code, 'MaxMessageLengthExceeded')
  const framed = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
  const answer = await s3(client, 'POST', '/bucket', {
    query: { delete: '' },
    wire: framed,
    headers: {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(body.length),
    },
  }).catch(String)
  if (typeof answer !== 'string') t.equal(answer.code, 'MaxMessageLengthExceeded')
  t.equal((await s3(client, 'HEAD', '/bucket')).status, 200, 'and the proxy goes on')
})

t.test("a client's own key through a multipart upload that is completed without it", async (t) => {
  const { createSecretKey } = await import('node:crypto')
  const { targetHeaders } = await import('../../src/s3/customer-key.js')
  const headers = { ...targetHeaders(createSecretKey(randomBytes(32))) }
  for (const proof of ['answer', 'read-back'] as const) {
    const { client } = await start(t, {
      overrides: { proof },
      rules: [encryptedRule('*', 'main', { clientKeys: 'relay' })],
    })
    const path = `/bucket/relayed-${proof}`
    const created = await s3(client, 'POST', path, { query: { uploads: '' }, headers })
    const uploadId = /<UploadId>(.+)<\/UploadId>/.exec(created.text)![1]!
    const part = await s3(client, 'PUT', path, { query: { partNumber: '1', uploadId }, headers, body: 'own' })
    t.equal(part.status, 200, part.text)
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`
    const completed = await s3(client, 'POST', path, { query: { uploadId }, body })
    t.equal(completed.status, 200, `${proof} ${completed.text}`)
    t.equal((await s3(client, 'GET', path, { headers })).text, 'own')
  }
})

t.test('a copy whose read-back fails for the moment is not taken away', async (t) => {
  const { client } = await start(t, { overrides: { proof: 'read-back' } })
  await s3(client, 'PUT', '/bucket/source', { body: 'precious' })
  let heads = 0
  origin.faults.intercept = ({ method }) => {
    if (method === 'HEAD' && (heads += 1) === 1) return { type: 'answer', status: 503 }
    return { type: 'proceed' }
  }
  const copied = await s3(client, 'PUT', '/bucket/copied', { headers: { 'x-amz-copy-source': '/bucket/source' } })
  t.equal(copied.status, 200, copied.text)
  origin.resetFaults()
  t.ok(stored('copied'))
  origin.faults.intercept = ({ method }) => (method === 'HEAD' ? { type: 'answer', status: 503 } : { type: 'proceed' })
  const unknown = await s3(client, 'PUT', '/bucket/copied', { headers: { 'x-amz-copy-source': '/bucket/source' } })
  t.equal(unknown.status, 503, 'nobody knows: the client repeats it')
  t.ok(stored('copied'), 'what may be well encrypted is not deleted')
  origin.resetFaults()
  origin.faults.intercept = ({ method, fields }) => {
    if (method === 'PUT' && fields.has('x-amz-copy-source')) origin.faults.ignoreCustomerKeys = true
    else if (method === 'HEAD') origin.faults.ignoreCustomerKeys = false
    return { type: 'proceed' }
  }
  const clear = await s3(client, 'PUT', '/bucket/clear', { headers: { 'x-amz-copy-source': '/bucket/source' } })
  t.not(clear.status, 200)
  t.notOk(stored('clear'), 'what is in the clear is')
})

t.test('a request that is refused while its body streams, on a connection that goes on', async (t) => {
  const { client } = await start(t)
  origin.faults.intercept = () => ({
    type: 'answer',
    status: 403,
    body: '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
  })
  const body = randomBytes(3_000_000)
  const answer = await s3(client, 'PUT', '/bucket/early', {
    body,
    headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
  })
  t.equal(answer.status, 403)
})
