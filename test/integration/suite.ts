import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import {
  CLIENT,
  READER,
  encryptedRule,
  keyringOf,
  startTestProxy,
  type TestUpstream,
} from '../support/proxy-in-process.js'
import { pathOf, s3, type S3Side } from '../support/s3-client.js'
import { formSuite } from './form-suite.js'
import { ODD_KEYS } from './odd-keys.js'

/** A real S3 server over TLS, and what it cannot do. */
export interface SuiteServer {
  readonly name: string
  readonly upstream: TestUpstream
  /** An existing, empty bucket. */
  readonly bucket: string
  /** Objects are read back with SSE-C copies (Ceph 16 has none). */
  readonly copiesEncrypted: boolean
  /** Where the proof of encryption comes from (MinIO answers some writes without it). */
  readonly proof: 'answer' | 'read-back'
  /** Some names are refused by the store itself (MinIO keeps objects as files). */
  readonly refusesOddKeys: boolean
  /** Status of a read without, or with a wrong key. */
  readonly refusals: readonly number[]
}

const sideOf = (port: number, keys: typeof CLIENT, plain = false): S3Side => ({ port, plain, ...keys })

/** What must hold whatever S3 stands behind the proxy. Objects are made under a prefix of each test's own. */
export function integrationSuite(t: Test, server: SuiteServer): void {
  const { bucket, upstream } = server
  const overrides = { proof: server.proof }
  const direct: S3Side = { ...upstream }
  const bytes = new Map(['v1', 'v2'].map((id) => [id, randomBytes(32)]))
  const keyrings = (...ids: string[]) => [keyringOf('main', ids, bytes)]

  t.test('odd object keys: stored encrypted, read back, listed and deleted, byte for byte', async (t) => {
    const proxy = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1') })
    const client = sideOf(proxy.port, CLIENT)
    for (const objectKey of ODD_KEYS) {
      const name = objectKey.slice(0, 30)
      const path = pathOf(bucket, objectKey)
      const body = randomBytes(300)
      const put = await s3(client, 'PUT', path, { body })
      if (put.status !== 200 && server.refusesOddKeys) {
        const own = await s3(direct, 'PUT', path, { body })
        t.equal(put.code, own.code, `${server.name} itself refuses ${name}: ${own.code}`)
        continue
      }
      t.equal(put.status, 200, `put ${name} ${put.text}`)
      t.equal(put.headers['x-amz-server-side-encryption-customer-algorithm'], 'AES256', 'the algorithm is shown')
      t.equal(put.headers['x-amz-server-side-encryption-customer-key-md5'], undefined, "the key's MD5 is not")
      const got = await s3(client, 'GET', path)
      t.same(got.body, body, `get ${name}`)
      t.equal(got.headers.etag, put.headers.etag, 'one ETag everywhere')
      const head = await s3(client, 'HEAD', path)
      t.equal(head.headers['content-length'], '300')
      const range = await s3(client, 'GET', path, { headers: { range: 'bytes=10-19' } })
      t.equal(range.status, 206)
      t.same(range.body, body.subarray(10, 20))
      const naked = await s3(direct, 'GET', path)
      t.ok(server.refusals.includes(naked.status), `unreadable without its key: ${naked.status}`)
      const removed = await s3(client, 'DELETE', path)
      t.equal(removed.status, 204)
      t.equal((await s3(client, 'GET', path)).status, 404)
    }
  })

  t.test('conditions take the ETag that was shown', async (t) => {
    const proxy = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1') })
    const client = sideOf(proxy.port, CLIENT)
    const path = pathOf(bucket, 'conditions/object')
    const put = await s3(client, 'PUT', path, { body: 'content' })
    const etag = String(put.headers.etag)
    t.match(etag, /^"[0-9a-f]{32}-0"$/)
    t.equal((await s3(client, 'GET', path, { headers: { 'if-match': etag } })).status, 200)
    t.equal((await s3(client, 'GET', path, { headers: { 'if-none-match': etag } })).status, 304)
    t.equal(
      (await s3(client, 'GET', path, { headers: { 'if-match': '"00000000000000000000000000000000-0"' } })).status,
      412,
    )
    const list = await s3(client, 'GET', `/${bucket}`, { query: { 'list-type': '2', prefix: 'conditions/' } })
    t.match(list.text, etag.replaceAll('"', ''), 'the listing shows the same ETag')
  })

  t.test('a read finds the key version among several; a wrong keyring opens nothing', async (t) => {
    const old = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1') })
    const path = pathOf(bucket, 'candidates/object')
    await s3(sideOf(old.port, CLIENT), 'PUT', path, { body: 'from before the rotation' })
    const rotated = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1', 'v2') })
    const client = sideOf(rotated.port, CLIENT)
    t.equal((await s3(client, 'GET', path)).text, 'from before the rotation')
    t.equal((await rotated.lastEvent())?.attempts, 2, 'the active version first, then the older one')
    t.equal((await s3(client, 'GET', path)).status, 200)
    t.equal((await rotated.lastEvent())?.attempts, 1, 'and then it is remembered')
    t.equal((await rotated.lastEvent())?.keyVersion, 'v1')
    await s3(client, 'PUT', path, { body: 'after' })
    t.equal((await s3(client, 'GET', path)).text, 'after')
    t.equal((await rotated.lastEvent())?.keyVersion, 'v2')
    const stranger = await startTestProxy(t, { upstream, overrides })
    const refused = await s3(sideOf(stranger.port, CLIENT), 'GET', path)
    t.ok(server.refusals.includes(refused.status), `another master key: ${refused.status}`)
    t.notMatch(refused.text, 'after')
  })

  t.test('a multipart upload survives a rotation, over two replicas', async (t) => {
    const one = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1') })
    const two = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1', 'v2') })
    const first = sideOf(one.port, CLIENT)
    const second = sideOf(two.port, CLIENT)
    const path = pathOf(bucket, 'multipart/a b+c')
    const created = await s3(first, 'POST', path, { query: { uploads: '' } })
    const uploadId = /<UploadId>(.+)<\/UploadId>/.exec(created.text)![1]!
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(5 * 1024 * 1024), randomBytes(1234)]
    const etags: string[] = []
    for (const [i, body] of parts.entries()) {
      const side = i === 1 ? first : second
      const part = await s3(side, 'PUT', path, { query: { partNumber: String(i + 1), uploadId }, body })
      t.equal(part.status, 200, part.text)
      etags.push(String(part.headers.etag))
    }
    const listed = await s3(second, 'GET', path, { query: { uploadId } })
    t.match(listed.text, uploadId, 'ListParts shows the id that the client knows')
    for (const etag of etags) t.match(listed.text, etag.replaceAll('"', ''))
    const document = `<CompleteMultipartUpload>${etags
      .map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`
    const completed = await s3(second, 'POST', path, { query: { uploadId }, body: document })
    t.equal(completed.status, 200, completed.text)
    for (const side of [first, second]) t.same((await s3(side, 'GET', path)).body, Buffer.concat(parts))
    t.ok(server.refusals.includes((await s3(direct, 'GET', path)).status), 'unreadable without its key')
    const forged = uploadId.replace(
      /\.k1\..*/,
      `.k1.${Buffer.from('main').toString('base64url')}.${Buffer.from('v9').toString('base64url')}`,
    )
    const refused = await s3(second, 'PUT', path, { query: { partNumber: '1', uploadId: forged }, body: 'x' })
    t.equal(refused.code, 'NoSuchUpload', 'an upload id that names a version nobody has')
  })

  t.test('copies read with one key and write with the other', { skip: copySkip(server) }, async (t) => {
    const rules = [encryptedRule('*', 'main')]
    const old = await startTestProxy(t, { upstream, overrides, rules, keyrings: keyrings('v1') })
    const source = pathOf(bucket, 'copy/source +%')
    const body = randomBytes(100_000)
    await s3(sideOf(old.port, CLIENT), 'PUT', source, { body, headers: { 'x-amz-meta-colour': 'blue' } })
    const proxy = await startTestProxy(t, { upstream, overrides, rules, keyrings: keyrings('v1', 'v2') })
    const client = sideOf(proxy.port, CLIENT)
    const target = pathOf(bucket, 'copy/target')
    const copied = await s3(client, 'PUT', target, { headers: { 'x-amz-copy-source': source } })
    t.equal(copied.status, 200, copied.text)
    t.match(copied.text, /[0-9a-f]{32}-0/)
    t.equal((await proxy.lastEvent())?.keyVersion, 'v2', 'the target is under the active version')
    const got = await s3(client, 'GET', target)
    t.same(got.body, body)
    t.equal(got.headers['x-amz-meta-colour'], 'blue')
    t.ok(server.refusals.includes((await s3(direct, 'GET', target)).status))
  })

  t.test('who may not, does not', async (t) => {
    const readerGrants = [{ bucket, prefixes: ['open/'], permissions: ['read' as const, 'list' as const] }]
    const proxy = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1'), readerGrants })
    const client = sideOf(proxy.port, CLIENT)
    const reader = sideOf(proxy.port, READER)
    await s3(client, 'PUT', pathOf(bucket, 'open/a'), { body: 'a' })
    await s3(client, 'PUT', pathOf(bucket, 'closed/b'), { body: 'b' })
    t.equal((await s3(reader, 'GET', pathOf(bucket, 'open/a'))).status, 200)
    t.equal((await s3(reader, 'GET', pathOf(bucket, 'closed/b'))).code, 'AccessDenied')
    t.equal((await s3(reader, 'PUT', pathOf(bucket, 'open/a'), { body: 'x' })).code, 'AccessDenied')
    t.equal((await s3(reader, 'DELETE', pathOf(bucket, 'open/a'))).code, 'AccessDenied')
    t.equal((await s3(reader, 'GET', `/${bucket}`, { query: { prefix: 'open/' } })).status, 200)
    t.equal((await s3(reader, 'GET', `/${bucket}`, { query: { prefix: '' } })).code, 'AccessDenied')
    t.equal((await s3(reader, 'GET', `/${bucket}`)).code, 'AccessDenied')
    const copy = { headers: { 'x-amz-copy-source': pathOf(bucket, 'closed/b') } }
    t.equal((await s3(reader, 'PUT', pathOf(bucket, 'open/c'), copy)).code, 'AccessDenied')
    const batch = '<Delete><Object><Key>open/a</Key></Object></Delete>'
    t.equal((await s3(reader, 'POST', `/${bucket}`, { query: { delete: '' }, body: batch })).code, 'AccessDenied')
    const wrong = { ...client, secretAccessKey: 'wrong' }
    const mismatch = await s3(wrong, 'GET', pathOf(bucket, 'open/a'))
    t.equal(mismatch.code, 'SignatureDoesNotMatch')
    t.match(mismatch.text, '<StringToSign>')
    t.equal(
      (await s3({ ...client, accessKeyId: 'NOBODY' }, 'GET', pathOf(bucket, 'open/a'))).code,
      'InvalidAccessKeyId',
    )
    await proxy.lastEvent()
    const before = proxy.events.filter(({ attempts }) => attempts > 0).length
    t.equal(before, 4, 'nothing that was refused went to the upstream')
  })

  t.test('a batch delete', async (t) => {
    const proxy = await startTestProxy(t, { upstream, overrides, keyrings: keyrings('v1') })
    const client = sideOf(proxy.port, CLIENT)
    for (const name of ['batch/1', 'batch/2 +']) await s3(client, 'PUT', pathOf(bucket, name), { body: name })
    const body = '<Delete><Object><Key>batch/1</Key></Object><Object><Key>batch/2 +</Key></Object></Delete>'
    const { createHash } = await import('node:crypto')
    const md5 = createHash('md5').update(body).digest('base64')
    const done = await s3(client, 'POST', `/${bucket}`, {
      query: { delete: '' },
      body,
      headers: { 'content-md5': md5 },
    })
    t.equal(done.status, 200, done.text)
    t.equal((await s3(client, 'HEAD', pathOf(bucket, 'batch/2 +'))).status, 404)
  })

  formSuite(t, server)
}

const copySkip = ({ copiesEncrypted, name }: SuiteServer): string | false =>
  copiesEncrypted ? false : `${name} has no SSE-C copies (501)`
