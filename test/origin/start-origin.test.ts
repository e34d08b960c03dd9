import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import t, { type Test } from 'tap'
import type { Origin, OriginOptions } from '../../src/origin/start-origin.js'
import { customerKey, keyHeaders, sdkKey } from '../contract/case.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, originServer, startTestOrigin } from '../support/origin.js'
import { rawClient, type RawClient } from '../support/raw-client.js'
import { sdkClient } from '../support/sdk-client.js'

async function start(t: Test, options: Partial<OriginOptions> = {}): Promise<{ origin: Origin; raw: RawClient }> {
  const origin = await startTestOrigin(options)
  const raw = rawClient(originServer(origin))
  t.teardown(async () => {
    raw.close()
    await origin.close()
  })
  return { origin, raw }
}

t.test('what is at rest can be looked at', async (t) => {
  const { origin, raw } = await start(t)
  const key = customerKey()
  origin.setVersioning('bucket', 'Enabled')
  await raw.send({ method: 'PUT', path: '/bucket/a', body: 'plain text' })
  await raw.send({ method: 'PUT', path: '/bucket/a', body: 'secret text', headers: keyHeaders(key) })
  await raw.send({ method: 'DELETE', path: '/bucket/a' })
  const seen = origin.objects('bucket').map((object) => ({
    latest: object.latest,
    deleteMarker: object.deleteMarker,
    encrypted: object.encrypted,
    size: object.size,
    readable: object.atRest().includes('text'),
  }))
  t.strictSame(seen, [
    { latest: true, deleteMarker: true, encrypted: false, size: 0, readable: false },
    { latest: false, deleteMarker: false, encrypted: true, size: 11, readable: false },
    { latest: false, deleteMarker: false, encrypted: false, size: 10, readable: true },
  ])
  t.equal(new Set(origin.objects().map((object) => object.versionId)).size, 3)
  t.notOk(JSON.stringify(origin.objects()).includes(key.base64))
})

t.test('uploads in parts, with checksums of every kind', async (t) => {
  const { origin } = await start(t)
  const sdk = sdkClient(originServer(origin))
  t.teardown(() => sdk.destroy())
  const body = randomBytes(5 * 1024 * 1024 + 100)
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const params = { Bucket: 'bucket', Key: ChecksumAlgorithm, Body: body, ChecksumAlgorithm, ...sdkKey(customerKey()) }
    await new Upload({ client: sdk, params, partSize: 5 * 1024 * 1024 }).done()
    const found = origin.objects('bucket').find((object) => object.objectKey === ChecksumAlgorithm)
    t.match(found, { encrypted: true, parts: 2, size: body.length }, ChecksumAlgorithm)
  }
  t.strictSame(origin.uploads(), [], 'no upload is left')
})

t.test('a body that stops halfway leaves nothing', async (t) => {
  let arrived = (): void => undefined
  const arrival = new Promise<void>((resolve) => (arrived = resolve))
  const intercept = (): { type: 'proceed' } => {
    arrived()
    return { type: 'proceed' }
  }
  const { origin } = await start(t, { faults: { intercept } })
  const sdk = sdkClient(originServer(origin))
  const url = new URL(await getSignedUrl(sdk, new PutObjectCommand({ Bucket: 'bucket', Key: 'half' })))
  const headers = { host: url.host, 'content-length': '1000' }
  const path = url.pathname + url.search
  const ca = testCertificates().authority.cert
  const outgoing = request({ host: '127.0.0.1', port: origin.port, method: 'PUT', path, headers, ca })
  outgoing.on('error', () => undefined)
  outgoing.write(Buffer.alloc(500))
  await arrival
  outgoing.destroy()
  await origin.idle()
  t.strictSame(origin.objects(), [])
})

t.test('a refused request is not asked for its body', async (t) => {
  const { origin, raw } = await start(t)
  let continued = 0
  const put = (path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: origin.port,
        method: 'PUT',
        path,
        headers: { host: `127.0.0.1:${origin.port}`, expect: '100-continue', 'content-length': '4', ...headers },
        ca: testCertificates().authority.cert,
      })
      outgoing.on('continue', () => {
        continued++
        outgoing.end('data')
      })
      outgoing.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
  t.equal(await put('/bucket/a', {}), 403)
  t.equal(continued, 0)
  const sdk = sdkClient(originServer(origin), { requestChecksumCalculation: 'WHEN_REQUIRED' })
  const url = new URL(await getSignedUrl(sdk, new PutObjectCommand({ Bucket: 'bucket', Key: 'a' })))
  t.equal(await put(url.pathname + url.search, {}), 200)
  t.equal(continued, 1)
  t.equal((await raw.send({ method: 'GET', path: '/bucket/a' })).body.toString(), 'data')
})

t.test('headers that presigners move into the query count', async (t) => {
  const { origin } = await start(t)
  const put = async (requestChecksumCalculation: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED') => {
    const sdk = sdkClient(originServer(origin), { requestChecksumCalculation })
    t.teardown(() => sdk.destroy())
    const command = new PutObjectCommand({ Bucket: 'bucket', Key: 'a', Metadata: { color: 'blue' } })
    const url = new URL(await getSignedUrl(sdk, command))
    return new Promise((resolve, reject) => {
      const headers = { host: url.host, 'content-length': '4' }
      const ca = testCertificates().authority.cert
      const path = url.pathname + url.search
      request({ host: '127.0.0.1', port: origin.port, method: 'PUT', path, headers, ca })
        .on('response', (response) => resolve(response.statusCode))
        .on('error', reject)
        .end('data')
    })
  }
  t.equal(await put('WHEN_REQUIRED'), 200)
  t.equal(origin.objects()[0]?.headers['x-amz-meta-color'], 'blue')
  t.equal(await put('WHEN_SUPPORTED'), 400, 'the SDK signs the checksum of an empty body by default')
})

t.test('buckets in other regions say so', async (t) => {
  const { origin, raw } = await start(t, { buckets: ['home', { name: 'away', region: 'eu-central-1' }] })
  const wrong = await raw.send({ method: 'GET', path: '/away/x' })
  t.match(wrong, { status: 400, code: 'AuthorizationHeaderMalformed' })
  t.equal(wrong.headers['x-amz-bucket-region'], 'eu-central-1')
  t.equal((await raw.send({ method: 'GET', path: '/away/x', region: 'eu-central-1' })).code, 'NoSuchKey')
  t.match(await raw.send({ method: 'GET', path: '/away/x', presignFor: 9 }), {
    code: 'AuthorizationQueryParametersError',
  })
  origin.faults.otherRegion = 'redirect'
  const moved = await raw.send({ method: 'GET', path: '/away/x' })
  t.match(moved, { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-central-1' } })
  t.equal((await raw.send({ method: 'HEAD', path: '/away' })).headers['x-amz-bucket-region'], 'eu-central-1')
  const stranger = await raw.send({ method: 'HEAD', path: '/away', anonymous: true })
  t.match(stranger, { status: 403, headers: { 'x-amz-bucket-region': 'eu-central-1' } })
})

t.test('session tokens are checked', async (t) => {
  const { raw } = await start(t, { credentials: [{ ...ORIGIN_CREDENTIALS, sessionToken: 'token-one' }] })
  const send = (headers: Record<string, string>) => raw.send({ method: 'GET', path: '/bucket', headers })
  t.equal((await send({ 'x-amz-security-token': 'token-one' })).status, 200)
  t.equal((await send({ 'x-amz-security-token': 'token-two' })).code, 'InvalidToken')
  t.equal((await send({})).code, 'InvalidToken')
})

t.test('new buckets may block SSE-C, as AWS’s do', async (t) => {
  const { origin, raw } = await start(t, { blockedOnNewBuckets: ['SSE-C'] })
  const put = () => raw.send({ method: 'PUT', path: '/made/a', body: 'x', headers: keyHeaders(customerKey()) })
  t.equal((await raw.send({ method: 'PUT', path: '/made' })).status, 200)
  t.match(await put(), { status: 403, code: 'AccessDenied' })
  origin.setBlockedEncryptionTypes('made', [])
  t.equal((await put()).status, 200)
})

t.test('deleted, suspended and null versions', async (t) => {
  const { origin, raw } = await start(t)
  const put = (body: string) => raw.send({ method: 'PUT', path: '/bucket/a', body })
  await put('before versioning')
  origin.setVersioning('bucket', 'Enabled')
  await put('one')
  origin.setVersioning('bucket', 'Suspended')
  await put('null again')
  t.strictSame(
    origin.objects().map((object) => [object.versionId === 'null', object.size]),
    [
      [true, 10],
      [false, 3],
    ],
    'a write under suspended versioning replaces the null version',
  )
  const marked = await raw.send({ method: 'DELETE', path: '/bucket/a' })
  t.equal(marked.headers['x-amz-version-id'], 'null')
  t.equal(origin.objects().length, 2, 'and so does a delete marker')
  t.equal((await raw.send({ method: 'GET', path: '/bucket/a', query: { versionId: 'x y' } })).code, 'InvalidArgument')
})

t.test('a taken port is an error', async (t) => {
  const { origin } = await start(t)
  await t.rejects(startTestOrigin({ port: origin.port }), { code: 'EADDRINUSE' })
})
