import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { CLIENT, encryptedRule, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { s3, type S3Side } from '../support/s3-client.js'

// S3 may answer 200, keep the connection with spaces, and then say that it failed after all.

const origin = await startTestOrigin({ minimumPartSize: 1 })
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const ca = testCertificates().authority.cert
const upstream = { port: origin.port, ca, ...ORIGIN_CREDENTIALS, region: 'us-east-1' }

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, ...options })
  return { proxy, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}
const uploadIdOf = (text: string) => /<UploadId>(.+)<\/UploadId>/.exec(text)![1]!
const completion = (etag: string) =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`

for (const proof of ['answer', 'read-back'] as const) {
  t.test(`a late error reaches the client, counts as a failure and removes nothing (proof: ${proof})`, async (t) => {
    const { client, proxy } = await start(t, { overrides: { proof } })
    await s3(client, 'PUT', '/bucket/source', { body: 'new' })
    await s3(client, 'PUT', '/bucket/target', { body: 'older and precious' })
    const created = await s3(client, 'POST', '/bucket/target', { query: { uploads: '' } })
    const uploadId = uploadIdOf(created.text)
    const part = { partNumber: '1', uploadId }
    const sent = await s3(client, 'PUT', '/bucket/target', { query: part, body: 'part' })
    origin.faults.errorInside200 = true
    const copySource = { 'x-amz-copy-source': '/bucket/source' }
    const calls = [
      () => s3(client, 'PUT', '/bucket/target', { headers: copySource }),
      () => s3(client, 'PUT', '/bucket/target', { query: part, headers: copySource }),
      () => s3(client, 'POST', '/bucket/target', { query: { uploadId }, body: completion(String(sent.headers.etag)) }),
    ]
    for (const call of calls) {
      const answer = await call()
      t.equal(answer.status, 200)
      t.equal(answer.code, 'InternalError')
      const event = (await proxy.lastEvent())!
      t.equal(event.outcome, 'upstream-failed', event.operation)
      t.equal(event.errorCode, 'InternalError')
    }
    origin.resetFaults()
    t.equal((await s3(client, 'GET', '/bucket/target')).text, 'older and precious', 'nothing was taken back')
  })
}

t.test(
  'with the proof in its head an answer streams, spaces and all, and what quotes the key does not pass',
  async (t) => {
    let key = ''
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    let end: (key: string) => string = () => ''
    const { leaf } = testCertificates()
    const server = createServer({ cert: leaf.cert, key: leaf.key }, (request, response) => {
      request.resume()
      const name = 'x-amz-server-side-encryption-customer-'
      key = String(request.headers[`${name}key`])
      response.writeHead(200, {
        [`${name}algorithm`]: 'AES256',
        [`${name}key-md5`]: String(request.headers[`${name}key-md5`]),
        'content-type': 'application/xml',
      })
      response.write('<?xml version="1.0" encoding="UTF-8"?>\n     ')
      void released.then(() => response.end(end(key)))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      server.closeAllConnections()
      server.close()
    })
    const port = (server.address() as AddressInfo).port
    const { client, proxy } = await start(t, { upstream: { ...upstream, port } })
    end = (sent) => `<Error><Code>InvalidArgument</Code><ArgumentValue>${sent}</ArgumentValue></Error>`
    let early = ''
    const copying = s3(client, 'PUT', '/bucket/x', {
      headers: { 'x-amz-copy-source': '/bucket/y' },
      onRequest: (request) =>
        request.once('response', (answer) => answer.on('data', (chunk: Buffer) => (early += chunk.toString()))),
    })
    for (let i = 0; i < 500 && !early.includes('     '); i += 1) await delay(10)
    t.match(early, '     ', 'spaces came while the upstream still worked')
    release()
    const answer = await copying
    t.equal(answer.status, 200)
    t.match(answer.text, /^<\?xml[^>]*\?>\s+<Error><Code>InvalidRequest</)
    t.notMatch(answer.text, key)
    t.equal((await proxy.lastEvent())?.outcome, 'upstream-failed')
  },
)

t.test('an upstream that goes away amid its spaces breaks the connection to the client', async (t) => {
  const { leaf } = testCertificates()
  const server = createServer({ cert: leaf.cert, key: leaf.key }, (request, response) => {
    request.resume()
    const name = 'x-amz-server-side-encryption-customer-'
    response.writeHead(200, {
      [`${name}algorithm`]: 'AES256',
      [`${name}key-md5`]: String(request.headers[`${name}key-md5`]),
    })
    response.write('<?xml version="1.0" encoding="UTF-8"?>\n     <CopyObj')
    setTimeout(() => response.destroy(), 50)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const port = (server.address() as AddressInfo).port
  const { client, proxy } = await start(t, { upstream: { ...upstream, port } })
  await t.rejects(s3(client, 'PUT', '/bucket/x', { headers: { 'x-amz-copy-source': '/bucket/y' } }))
  t.equal((await proxy.lastEvent())?.outcome, 'upstream-failed')
})

t.test('an unproven copy that did succeed is still taken back', async (t) => {
  const { client } = await start(t, { rules: [encryptedRule('*', 'main')] })
  await s3(client, 'PUT', '/bucket/source', { body: 'new' })
  origin.faults.proof = 'none'
  const copied = await s3(client, 'PUT', '/bucket/unproven', { headers: { 'x-amz-copy-source': '/bucket/source' } })
  t.equal(copied.status, 500)
  t.equal(copied.code, 'InternalError')
  t.notOk(origin.objects('bucket').some(({ objectKey }) => objectKey === 'unproven'))
})
