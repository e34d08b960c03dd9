import { createHash, createHmac, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import t from 'tap'
import { registerSecret } from '../../support/record.js'
import { CLIENT } from '../../support/proxy-in-process.js'
import { send, sha256 } from '../../support/s3-client.js'
import { testCertificates } from '../../support/certificates.js'
import type { S3Server } from '../../support/server.js'
import { sdkClient } from '../../support/sdk-client.js'
import {
  completeUpload,
  createUpload,
  etagOf,
  md5Rule,
  md5Stand,
  put,
  shownMD5,
  shownMD5Of,
  uploadPart,
} from './stand.js'

const ownHeaders = (name: string) => {
  const bytes = randomBytes(32)
  registerSecret(`key of a client: ${name}`, bytes)
  const prefix = 'x-amz-server-side-encryption-customer'
  return {
    [`${prefix}-algorithm`]: 'AES256',
    [`${prefix}-key`]: bytes.toString('base64'),
    [`${prefix}-key-md5`]: createHash('md5').update(bytes).digest('base64'),
  }
}

t.test(
  "clients' own keys: an object has its MD5, an upload in parts has none, because nobody would bring the key at its end",
  async (t) => {
    const relaying = { ...md5Rule, keys: { ...md5Rule.keys, clientKeys: 'relay' as const } } as typeof md5Rule
    const { client } = await md5Stand(t, { rules: [relaying] })
    const headers = ownHeaders('md5')
    const written = await put(client, 'own', 'abc', { headers })
    t.equal(written.etag, shownMD5('abc'), written.answer.text)
    t.equal(await etagOf(client, 'own', { headers }), shownMD5('abc'))
    const range = { headers: { ...headers, range: 'bytes=0-1' } }
    t.equal(await etagOf(client, 'own', range, 'GET'), shownMD5('abc'))
    const next = await put(client, 'own', 'def', { headers: { ...headers, 'if-match': shownMD5('abc') } })
    t.equal(next.status, 200, 'a condition is looked up with the key that comes with it')

    const uploadId = await createUpload(client, 'parts', headers)
    const part = await uploadPart(client, 'parts', uploadId, 1, Buffer.from('abc'), headers)
    t.match(part.etag, /^"[0-9a-f]{32}-0"$/, part.answer.text)
    const done = await completeUpload(client, 'parts', uploadId, [{ partNumber: 1, etag: part.etag }])
    t.equal(done.status, 200, done.text)
    t.match(await etagOf(client, 'parts', { headers }), /^"[0-9a-f]{32}-1"$/)
  },
)

t.test('signature version 2, which hashes no body', async (t) => {
  const { another } = await md5Stand(t)
  const client = await another({ signatures: ['v2', 'v4'] })
  const date = new Date().toUTCString()
  const signature = createHmac('sha1', CLIENT.secretAccessKey).update(`PUT\n\n\n${date}\n/bucket/v2`).digest('base64')
  const body = randomBytes(100_000)
  const headers = { date, authorization: `AWS ${CLIENT.accessKeyId}:${signature}`, 'content-length': body.length }
  const answer = await send({ port: client.port }, { method: 'PUT', path: '/bucket/v2', headers }, body)
  t.equal(answer.headers.etag, shownMD5(body), answer.text)
})

t.test('a chunked transfer that tells its length, and one that does not', async (t) => {
  const { client, origin } = await md5Stand(t)
  const body = randomBytes(100_000)
  const call = (length: Record<string, string>, bytes = body) => ({
    headers: { 'x-amz-content-sha256': sha256(body), 'transfer-encoding': 'chunked', ...length },
    wire: Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]),
  })
  t.equal((await put(client, 'none', body, call({}))).answer.code, 'MissingContentLength')
  const short = await put(client, 'short', body, call({ 'x-amz-decoded-content-length': '100001' }))
  t.equal(short.answer.code, 'IncompleteBody')
  const long = await put(client, 'long', body, call({ 'x-amz-decoded-content-length': '99999' }))
  t.equal(long.answer.code, 'IncompleteBody')
  const other = Buffer.from(body)
  other[99_999]! ^= 1
  const tampered = await put(client, 'tampered', body, call({ 'x-amz-decoded-content-length': '100000' }, other))
  t.equal(tampered.answer.code, 'XAmzContentSHA256Mismatch')
  t.same(origin.objects(), [])
  const told = await put(client, 'told', body, call({ 'x-amz-decoded-content-length': '100000' }))
  t.equal(told.etag, shownMD5(body), told.answer.text)
})

t.test("today's SDK, with checksums of its own and without", async (t) => {
  const { client } = await md5Stand(t)
  const body = randomBytes(6 * 1024 * 1024)
  const server: S3Server = {
    name: 'origin',
    port: client.port,
    plainPort: 'none',
    endpoint: `https://localhost:${client.port}`,
    ca: testCertificates().authority.cert,
    region: 'us-east-1',
    credentials: CLIENT,
    baseDomain: 's3.localhost',
  }
  for (const calculation of ['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const) {
    const sdk = sdkClient(server, { requestChecksumCalculation: calculation, responseChecksumValidation: calculation })
    const written = await sdk.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'sdk', Body: body }))
    if (calculation === 'WHEN_REQUIRED') t.equal(written.ETag, shownMD5(body))
    else t.match(written.ETag, /-0"$/)
    const got = await sdk.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'sdk' }))
    t.equal(got.ETag, written.ETag)
    t.equal(sha256(Buffer.from(await got.Body!.transformToByteArray())), sha256(body))
    const params = { Bucket: 'bucket', Key: 'parts', Body: body }
    const done = await new Upload({ client: sdk, params, partSize: 5 * 1024 * 1024 }).done()
    const parts = [body.subarray(0, 5 * 1024 * 1024), body.subarray(5 * 1024 * 1024)]
    if (calculation === 'WHEN_REQUIRED') t.equal(done.ETag, shownMD5Of(parts))
    else t.match(done.ETag, /^"[0-9a-f]{32}-2"$/)
    t.equal(await etagOf(client, 'parts'), done.ETag)
    sdk.destroy()
  }
})
