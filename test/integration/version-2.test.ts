import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import t, { type Test } from 'tap'
import { targetHeaders } from '../../src/s3/customer-key.js'
import type { Case } from '../contract/case.js'
import { expected } from '../contract/expectations.js'
import { VERSION_2 } from '../contract/version-2-cases.js'
import { unsignedChunks } from '../support/aws-chunked.js'
import { startRecordingOrigin } from '../support/recording-origin.js'
import { CLIENT, READER, encryptedRule, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { proxyServer } from '../support/proxy-server.js'
import { registerSecret } from '../support/record.js'
import { rawClient, type RawRequest } from '../support/raw-client.js'
import { ODD_KEYS } from './odd-keys.js'
import { pathOf } from '../support/s3-client.js'
import type { S3Server } from '../support/server.js'

// Clients with signature version 2 through the whole proxy; and the attacker who holds one of their requests, a presigned
// URL above all, and changes what it does not sign.

const { origin, seen, upstream } = await startRecordingOrigin()
t.teardown(() => origin.close())

const end = (seconds = 600) => ({ expires: Math.floor(Date.now() / 1000) + seconds })
const stored = () => origin.objects('bucket').map(({ objectKey }) => objectKey)

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, signatures: ['v4', 'v2'], ...options })
  const server = proxyServer(proxy)
  const raw = rawClient(server)
  t.teardown(() => raw.close())
  seen.length = 0
  return { proxy, server, raw, send: (request: RawRequest) => raw.send({ version2: 'header', ...request }) }
}

/** The query and path of a presigned request, for those who spoil it. */
async function presign(server: S3Server, request: Omit<RawRequest, 'version2'>): Promise<string> {
  let path = ''
  const raw = rawClient({ ...server, port: 9, plainPort: 9 })
  await raw
    .send({ ...request, plain: true, version2: end(), tamper: (head) => void (path = head.path) })
    .catch(() => undefined)
  raw.close()
  return path
}

t.test('it is off where the configuration does not name it', async (t) => {
  const { send, proxy } = await start(t, { signatures: ['v4'] })
  for (const version2 of ['header', end()] as const) {
    const answer = await send({ method: 'PUT', path: '/bucket/off', body: 'x', version2 })
    t.equal(answer.code, 'InvalidRequest')
    t.match(answer.message, /not supported\. Please use AWS4-HMAC-SHA256\./)
  }
  t.same(seen, [], 'nothing went to the upstream')
  t.equal((await proxy.lastEvent())?.reason, 'identity client has no v2 among its signatures')
})

t.test('version 4 is off where only version 2 is named', async (t) => {
  const { raw } = await start(t, { signatures: ['v2'] })
  t.equal((await raw.send({ method: 'GET', path: '/bucket/off' })).code, 'InvalidRequest')
  t.equal((await raw.send({ method: 'GET', path: '/bucket/off', version2: 'header' })).code, 'NoSuchKey')
})

t.test('the proxy answers it as S3 does', async (t) => {
  const rules = [encryptedRule('*', 'main', { clientKeys: 'relay' })]
  const { server, raw } = await start(t, { rules })
  /** Codes are S3's; texts may be newer ones of S3's. */
  const codes = (outcome: string) =>
    outcome.replace(/: [^,]*(?:, for[^,]*)?(?=, (?:absent|in the|no colour|nothing)|$)/, '')
  const ask = async ({ name, run }: Case, index: number) => {
    const context = {
      server,
      raw,
      sdk: undefined as never,
      bucket: 'bucket',
      versioned: '',
      objectKey: `case-${index}`,
    }
    const outcome = (await run(context)).replaceAll(`bucket/${context.objectKey}`, '(object)')
    t.equal(codes(outcome), codes(expected(name, 'origin') as string), name)
  }
  for (const [index, one] of VERSION_2.entries()) await ask(one, index)
  for (const { objectKey, encrypted } of origin.objects('bucket'))
    t.ok(encrypted, `${objectKey} is under a customer key`)
})

t.test('odd object keys, path style and virtual-hosted: encrypted, read back, deleted', async (t) => {
  const { send, server } = await start(t)
  for (const objectKey of ODD_KEYS) {
    const path = pathOf('bucket', objectKey)
    const hosted = { path: path.slice('/bucket'.length), resource: path, host: `bucket.s3.localhost:${server.port}` }
    const body = randomBytes(100)
    t.equal((await send({ method: 'PUT', path, body })).status, 200, objectKey.slice(0, 30))
    t.same(
      origin
        .objects('bucket')
        .map(({ objectKey, encrypted }) => ({ objectKey, encrypted }))
        .at(-1),
      { objectKey, encrypted: true },
    )
    t.same((await send({ method: 'GET', ...hosted })).body, body)
    t.same((await send({ method: 'GET', path, version2: end() })).body, body)
    t.equal((await send({ method: 'DELETE', ...hosted, version2: end() })).status, 204)
  }
  for (const { target, fields } of seen) {
    t.notMatch(target, /AWSAccessKeyId|Signature=|Expires=/, 'the client’s signature stays here')
    t.match(fields.get('authorization'), /^AWS4-HMAC-SHA256 /)
  }
})

t.test('clients’ own spellings of a path: one object under each', async (t) => {
  const { send, raw } = await start(t)
  for (const [spelling, objectKey] of [
    ['/bucket/a+b', 'a b'],
    ['/bucket/a%2bb', 'a+b'],
    ['/bucket/a%2Bb', 'a+b'],
    ['/bucket/x&y=z;w', 'x&y=z;w'],
    ['/bucket/%7e~', '~~'],
    ["/bucket/!*'()", "!*'()"],
  ] as const) {
    for (const version of [{ version2: 'header' as const }, {}]) {
      const put = await raw.send({ method: 'PUT', path: spelling, body: spelling, ...version })
      t.equal(put.status, 200, spelling)
      t.ok(stored().includes(objectKey), `${spelling} is ${objectKey}`)
      t.equal((await send({ method: 'GET', path: pathOf('bucket', objectKey) })).body.toString(), spelling)
      await send({ method: 'DELETE', path: spelling })
      t.notOk(stored().includes(objectKey))
    }
  }
})

t.test('whoever holds a presigned request cannot make another one of it', async (t) => {
  const { send, raw, server, proxy } = await start(t)
  t.equal((await send({ method: 'PUT', path: '/bucket/held', body: 'held' })).status, 200)
  const before = stored()
  const get = await presign(server, { method: 'GET', path: '/bucket/held' })
  const put = await presign(server, { method: 'PUT', path: '/bucket/held' })
  const post = await presign(server, { method: 'POST', path: '/bucket/held', query: { uploads: '' } })
  const asked = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const answer = await raw.send({
      method,
      path: '/',
      anonymous: true,
      headers,
      tamper: (head) => {
        head.path = path
        delete head.headers['x-amz-content-sha256']
      },
    })
    return answer.code === '' ? String(answer.status) : answer.code
  }
  t.equal(await asked('GET', get), '200', 'as it is')
  for (const [method, path, headers] of [
    ['DELETE', get],
    ['PUT', get],
    ['HEAD', get],
    ['GET', get.replace('/held', '/other')],
    ['GET', get.replace('/bucket/held', '//bucket/held')],
    ['GET', get.replace('/held', '/%68eld')],
    ['GET', `${get}&acl`],
    ['GET', `${get}&tagging`],
    ['GET', `${get}&versionId=null`],
    ['GET', `${get}&partNumber=1`],
    ['GET', `${get}&uploadId=x`],
    ['GET', `${get}&response-content-type=text/html`],
    ['GET', `${get}&x-amz-checksum-mode=ENABLED`],
    ['GET', get, { 'x-amz-request-payer': 'requester' }],
    ['PUT', `${put}&acl`],
    ['PUT', `${put}&tagging`],
    ['PUT', `${put}&partNumber=1&uploadId=x`],
    ['PUT', `${put}&x-amz-acl=public-read`],
    ['PUT', put, { 'x-amz-copy-source': '/bucket/other' }],
    ['PUT', put, { 'x-amz-acl': 'public-read' }],
    ['PUT', put, { 'x-amz-server-side-encryption': 'AES256' }],
    ['PUT', put, { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-decoded-content-length': '0' }],
    ['PUT', put, { 'x-amz-write-offset-bytes': '4' }],
    ['PUT', put, { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }],
    ['POST', post.replace('uploads&', '')],
    ['POST', post.replace('uploads&', 'restore&')],
  ] as const) {
    const code = await asked(method, path, headers)
    t.equal(
      code,
      method === 'HEAD' ? '403' : 'SignatureDoesNotMatch',
      `${method} ${path} ${JSON.stringify(headers ?? {})}`,
    )
  }
  for (const [method, path] of [
    ['GET', `${get}&attributes`],
    ['PUT', `${put}&renameObject`],
    ['PUT', `${put}&annotation&annotationName=x`],
  ] as const) {
    const code = await asked(method, path)
    t.ok(['InvalidRequest', 'NotImplemented'].includes(code), `${method} ${path.split('?')[1]}: ${code}`)
  }
  t.equal(await asked('GET', `${get}&prefix=x`), 'NotImplemented', 'nothing that the operation does not know')
  t.equal(await asked('GET', `${get}&X-Amz-Signature=x`), 'InvalidArgument')
  t.equal(await asked('GET', `${get}&Expires=1`), 'InvalidArgument', 'twice')
  t.equal(await asked('GET', get, { authorization: `AWS ${CLIENT.accessKeyId}:eA==` }), 'InvalidArgument')
  t.same(stored(), before, 'nothing was written or removed')
  t.notMatch(proxy.logged(), new RegExp(/Signature=([^&]+)/.exec(get)![1]!), 'signatures are not logged')
})

t.test('nor take out what was signed, by a Connection that lists it', async (t) => {
  const { raw, send, proxy } = await start(t)
  const path = '/bucket/bound'
  const headers = { 'content-md5': createHash('md5').update('agreed').digest('base64'), 'x-amz-meta-a': 'b' }
  const put = (body: string, connection: string, version: Partial<RawRequest>) =>
    raw.send({ method: 'PUT', path, headers, body, unsigned: { connection }, ...version })
  for (const version of [{ version2: end() }, { version2: 'header' as const }, { presignFor: 600 }, {}]) {
    t.equal((await put('forged', 'close', version)).code, 'BadDigest')
    for (const name of ['content-md5', 'Content-MD5', 'x-amz-meta-a'])
      t.equal((await put('forged', `close, ${name}`, version)).code, 'InvalidArgument', name)
    t.notOk(stored().includes('bound'))
    t.equal((await put('agreed', 'close', version)).status, 200)
    await send({ method: 'DELETE', path })
  }
  t.equal((await proxy.lastEvent())?.outcome, 'complete')
})

t.test("a client's own key is not taken from the query, from a signed one neither", async (t) => {
  const bytes = randomBytes(32)
  registerSecret('a key in the query of version 2', bytes)
  const { server, raw, send, proxy } = await start(t, { rules: [encryptedRule('*', 'main', { clientKeys: 'relay' })] })
  const headers = { ...targetHeaders(createSecretKey(bytes)) }
  t.equal((await send({ method: 'PUT', path: '/bucket/own', headers, body: 'own' })).status, 200, 'from headers it is')
  const inHeaders = await raw.send({ method: 'GET', path: '/bucket/own', headers, version2: end() })
  t.equal(inHeaders.body.toString(), 'own', 'presigned, the key in headers')
  for (const method of ['GET', 'PUT']) {
    const target = `${await presign(server, { method, path: '/bucket/own', headers })}&${new URLSearchParams(headers).toString()}`
    const answer = await raw.send({
      method,
      path: '/',
      anonymous: true,
      body: method === 'PUT' ? 'other' : '',
      tamper: (head) => {
        head.path = target
        delete head.headers['x-amz-content-sha256']
      },
    })
    t.equal(answer.code, 'InvalidArgument', method)
    t.match(answer.message, 'never from the query of a presigned URL')
    t.notMatch(answer.body.toString(), headers['x-amz-server-side-encryption-customer-key'])
  }
  t.notMatch(proxy.logged(), headers['x-amz-server-side-encryption-customer-key'])
})

t.test('a presigned listing can be bent, within the grants only', async (t) => {
  const readerGrants = [{ bucket: 'bucket', prefixes: ['open/'], permissions: ['read' as const, 'list' as const] }]
  const { send } = await start(t, { readerGrants })
  for (const name of ['open/a', 'open/b', 'closed/c'])
    await send({ method: 'PUT', path: `/bucket/${name}`, body: name })
  const list = (change: (path: string) => string) =>
    send({
      method: 'GET',
      path: '/bucket/',
      query: { prefix: 'open/a' },
      version2: end(),
      ...READER,
      tamper: (head) => void (head.path = change(head.path)),
    })
  t.match((await list((path) => path)).body.toString(), 'open/a')
  t.match((await list((path) => path.replace('open%2Fa', 'open/b'))).body.toString(), 'open/b', 'as with S3')
  t.match((await list((path) => `${path}&list-type=2`)).body.toString(), 'KeyCount', 'as with S3')
  for (const prefix of ['closed/', '']) {
    t.equal((await list((path) => path.replace('open%2Fa', prefix))).code, 'AccessDenied', `'${prefix}'`)
  }
  t.equal((await list((path) => path.replace(/prefix=[^&]*&/, ''))).code, 'AccessDenied')
  t.equal((await list((path) => `${path}&versions`)).code, 'SignatureDoesNotMatch')
})

t.test('what the client says of its body holds, though version 2 signs no body', async (t) => {
  const { send } = await start(t)
  const body = randomBytes(100_000)
  const path = '/bucket/described'
  const described = (headers: Record<string, string>, sent: Buffer, more: Partial<RawRequest> = {}) =>
    send({ method: 'PUT', path, headers, body: sent, ...more })
  const sha256 = { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') }
  t.equal((await described(sha256, randomBytes(100_000))).code, 'XAmzContentSHA256Mismatch')
  const md5 = { 'content-md5': createHash('md5').update(body).digest('base64') }
  t.equal((await described(md5, randomBytes(100_000))).code, 'BadDigest')
  const signed = {
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'x-amz-decoded-content-length': '100000',
  }
  t.equal((await described(signed, body)).code, 'InvalidRequest', 'no chunk signatures')
  t.notOk(stored().includes('described'), 'nothing is left')

  const digest = Buffer.alloc(4)
  digest.writeUInt32BE(crc32(body))
  const trailer = { name: 'x-amz-checksum-crc32', value: digest.toString('base64') }
  const framed = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '100000',
    'x-amz-trailer': trailer.name,
    'content-encoding': 'aws-chunked',
  }
  t.equal((await described(framed, unsignedChunks({ body, chunkSize: 65_536, trailer }))).status, 200)
  t.same((await send({ method: 'GET', path })).body, body, 'the framing is not stored')
  const wrong = { ...trailer, value: 'AAAAAA==' }
  t.equal((await described(framed, unsignedChunks({ body, chunkSize: 65_536, trailer: wrong }))).code, 'BadDigest')
  for (const headers of [sha256, md5, {}]) t.equal((await described(headers, body)).status, 200)
})

t.test('a batch delete is bound by its Content-MD5', async (t) => {
  const { send } = await start(t)
  for (const name of ['one', 'two']) await send({ method: 'PUT', path: `/bucket/${name}`, body: name })
  const document = (name: string) => `<Delete><Object><Key>${name}</Key></Object></Delete>`
  const headers = { 'content-md5': createHash('md5').update(document('one')).digest('base64') }
  const remove = (body: string) => send({ method: 'POST', path: '/bucket/', query: { delete: '' }, headers, body })
  t.equal((await remove(document('two'))).code, 'BadDigest')
  t.ok(stored().includes('two'))
  t.equal((await remove(document('one'))).status, 200)
  t.notOk(stored().includes('one'))
})

t.test('the lifetime of presigned requests is bounded where the configuration says so', async (t) => {
  const { send } = await start(t, { presignedV2LifetimeMs: 3_600_000 })
  t.equal((await send({ method: 'GET', path: '/bucket/x', version2: end(3_500) })).code, 'NoSuchKey')
  const answer = await send({ method: 'GET', path: '/bucket/x', version2: end(3_700) })
  t.equal(answer.code, 'AccessDenied')
  t.match(answer.message, 'Expires may be at most 3600 seconds from now.')
})

t.test('an anonymous listener takes version 2 for what it is', async (t) => {
  const { send } = await start(t)
  t.equal((await send({ method: 'GET', path: '/bucket/x', plain: true, host: 'localhost' })).code, 'NoSuchKey')
  const wrong = await send({
    method: 'GET',
    path: '/bucket/x',
    plain: true,
    host: 'localhost',
    secretAccessKey: 'wrong',
  })
  t.equal(wrong.code, 'SignatureDoesNotMatch', 'a bad signature does not become no signature')
  const { raw } = await start(t)
  const half = { method: 'GET', path: '/bucket/x', plain: true, anonymous: true, host: 'localhost' }
  for (const query of [{ Signature: 'x' }, { AWSAccessKeyId: CLIENT.accessKeyId }] as Record<string, string>[]) {
    t.equal((await raw.send({ ...half, query })).code, 'AccessDenied')
  }
})
