import { randomBytes } from 'node:crypto'
import t from 'tap'
import { head, lookAt, NO_HINT } from '../../src/maintenance/look.js'
import { listObjects, listUploads, listVersions, type Page } from '../../src/maintenance/list.js'
import { makeAuthority } from '../../src/origin/certificates.js'
import { selectKeys } from '../../src/keyring/select.js'
import type { ObjectScope } from '../../src/keyring/port.js'
import { parseBucket, parseObjectKey } from '../../src/s3/names.js'
import { targetHeaders } from '../../src/s3/customer-key.js'
import { testAccess } from '../support/access.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { encryptedRule, keyringOf, testKeyring } from '../support/proxy-in-process.js'
import { pathOf, s3 } from '../support/s3-client.js'

const origin = await startTestOrigin({ buckets: ['bucket', { name: 'far-away', region: 'eu-south-2' }, 'versioned'] })
t.teardown(() => origin.close())
origin.setVersioning('versioned', 'Enabled')
const upstream = {
  port: origin.port,
  ca: testCertificates().authority.cert,
  ...ORIGIN_CREDENTIALS,
  region: 'us-east-1',
}
const bytes = new Map(['v1', 'v2', 'v3'].map((id) => [id, randomBytes(32)]))
const main = keyringOf('main', ['v1', 'v2', 'v3'], bytes)
const other = testKeyring('other', 'o1')
const options = { upstream, rules: [encryptedRule('*', 'main', { alsoRead: ['other'] })], keyrings: [main, other] }

const bucket = parseBucket('bucket')
const scopeOf = (objectKey: string, name = bucket): ObjectScope => ({
  bucket: name,
  bucketIdentity: name,
  objectKey: parseObjectKey(objectKey),
  version: { type: 'latest' },
})

/** Stores an object under one key version, or plain, straight at the origin. */
async function store(objectKey: string, keyVersion: string | 'plain', where = main): Promise<void> {
  const dataKey = keyVersion === 'plain' ? 'unknown' : await where.forVersion(scopeOf(objectKey), keyVersion)
  const headers = dataKey === 'unknown' ? {} : targetHeaders(dataKey.key)
  const answer = await s3({ port: origin.port, ...ORIGIN_CREDENTIALS }, 'PUT', pathOf('bucket', objectKey), {
    headers,
    body: objectKey,
  })
  if (answer.status !== 200) throw new Error(`PUT ${objectKey}: ${answer.status} ${answer.text}`)
}

async function all<T>(pages: AsyncIterable<Page<T>>): Promise<T[]> {
  const entries: T[] = []
  for await (const page of pages) entries.push(...page.entries)
  return entries
}

const ODD = [
  'a//b',
  '../x',
  '/a',
  'a b',
  'a+b',
  'a%2Fb',
  'é日本語🔑',
  'tab\tand\u0001control',
  'folder/',
  'k'.repeat(1024),
  '<&>"',
]

t.test('lists every name as it is, in pages that go on where the last one ended', async (t) => {
  const access = testAccess(t, options)
  for (const objectKey of ODD) await store(objectKey, 'v3')
  const sorted = [...ODD].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  t.strictSame(
    (await all(listObjects(access, bucket, ''))).map(({ objectKey }) => objectKey),
    sorted,
  )
  t.strictSame(
    (await all(listObjects(access, bucket, '', sorted[3]))).map(({ objectKey }) => objectKey),
    sorted.slice(4),
    'after a name',
  )
  t.strictSame(
    (await all(listObjects(access, bucket, 'a+'))).map(({ objectKey }) => objectKey),
    ['a+b'],
  )
  const [first] = await all(listObjects(access, bucket, 'folder/'))
  t.match(first, { size: 7, storageClass: 'STANDARD', isLatest: true, etag: /^".+"$/ })
})

t.test('a list of several pages, and one that would never end', async (t) => {
  const asked: string[] = []
  const answers = [page(['a', 'b'], 'true', 'one two'), page(['c'], 'false', '')]
  const access = {
    send: async ({ query }: { query: ReadonlyMap<string, string> }) => {
      asked.push(`${query.get('continuation-token') ?? '-'} ${query.get('start-after') ?? '-'}`)
      return answers.shift() ?? page(['x'], 'true', 'again')
    },
  }
  t.strictSame(
    (await all(listObjects(access as never, bucket, '', 'Z'))).map(({ objectKey }) => objectKey),
    ['a', 'b', 'c'],
  )
  t.strictSame(asked, ['- Z', 'one two -'])
  await t.rejects(all(listObjects(access as never, bucket, '')), { message: /does not say where its list goes on/ })
  answers.push({ ...page([], 'false', ''), status: 403, code: 'AccessDenied' })
  await t.rejects(all(listObjects(access as never, bucket, 'p/')), {
    message:
      'listing s3://bucket/p/: the upstream answered AccessDenied (status 403); the credentials under upstream.credentials may not do this',
  })
})

t.test('an empty page in the middle of a list does not send the next run back to its begin', async (t) => {
  const answers = [page(['a', 'b'], 'true', 'one'), page([], 'true', 'two'), page(['c'], 'false', '')]
  const lasts: string[] = []
  const access = { send: async () => answers.shift() }
  for await (const { last } of listObjects(access as never, bucket, '', 'Z')) lasts.push(last)
  t.strictSame(lasts, ['b', 'b', 'c'])
})

function page(names: readonly string[], truncated: string, token: string) {
  const contents = names.map((name) => `<Contents><Key>${name}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`)
  const xml = `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>${contents.join('')}</ListBucketResult>`
  return { status: 200, fields: new Map<string, string>(), body: Buffer.from(xml), code: 'none' }
}

t.test('versions and unfinished uploads', async (t) => {
  const access = testAccess(t, options)
  const side = { port: origin.port, ...ORIGIN_CREDENTIALS }
  for (const body of ['one', 'four']) await s3(side, 'PUT', '/versioned/a%20b', { body })
  await s3(side, 'PUT', '/versioned/gone', { body: 'x' })
  await s3(side, 'DELETE', '/versioned/gone')
  const versions = await all(listVersions(access, parseBucket('versioned'), ''))
  t.strictSame(
    versions.map(({ objectKey, isLatest, size }) => [objectKey, isLatest, size]),
    [
      ['a b', true, 4],
      ['a b', false, 3],
      ['gone', false, 1],
    ],
  )
  t.ok(versions.every(({ version }) => version.type === 'id'))
  const created = await s3(side, 'POST', '/versioned/up%20load', { query: { uploads: '' } })
  const [upload] = await all(listUploads(access, parseBucket('versioned'), 'up'))
  t.match(upload, { objectKey: 'up load', initiated: /^20/ })
  t.ok(created.text.includes(upload?.uploadId ?? 'none'))
})

t.test('tells which key opens an object, in the order of the proxy, with the fewest requests', async (t) => {
  const access = testAccess(t, options)
  const look = async (objectKey: string, hint = NO_HINT) => {
    const scope = scopeOf(objectKey)
    const reference = selectKeys(access.rules, bucket, scope.objectKey)
    if (reference === 'no-rule') throw new Error('no rule')
    const before = access.sent()
    const found = await lookAt(access, reference, scope, hint)
    const key = found.type === 'key' ? `${found.dataKey.keyring} ${found.dataKey.keyVersion}` : found.type
    return [key, access.sent() - before] as const
  }
  await store('new', 'v3')
  await store('old', 'v1')
  await store('../elsewhere+', 'o1', other)
  await store('clear', 'plain')
  await store('lost', 'x1', testKeyring('lost', 'x1'))
  t.strictSame(await look('new'), ['main v3', 1])
  t.strictSame(await look('old'), ['main v1', 3])
  t.strictSame(await look('old', { get: () => ({ keyring: 'main', keyVersion: 'v1' }) }), ['main v1', 1], 'with a hint')
  t.strictSame(await look('../elsewhere+'), ['other o1', 4])
  t.strictSame(await look('clear'), ['plain', 5], 'though the rule says plaintext: deny')
  t.strictSame(await look('lost'), ['locked', 6], 'the writing key twice: it may have been written anew meanwhile')
  t.strictSame(await look('missing'), ['gone', 1])
  const plain = await head(access, scopeOf('clear'), 'plain')
  t.equal(plain.fields.get('content-length'), '5')
  const denied = await lookAt(
    { send: async () => ({ ...page([], '', ''), status: 403 }) },
    reference('x'),
    scopeOf('x'),
  )
  t.strictSame(denied, { type: 'denied' })

  function reference(objectKey: string) {
    const found = selectKeys(access.rules, bucket, parseObjectKey(objectKey))
    if (found === 'no-rule') throw new Error('no rule')
    return found
  }
})

t.test('the region of a bucket is learned, and a refusal tells nothing that was signed', async (t) => {
  const far = parseBucket('far-away')
  const learned = testAccess(t, { ...options, overrides: { region: { type: 'learned', first: 'us-east-1' } } })
  t.strictSame(await all(listObjects(learned, far, '')), [])
  t.strictSame(await all(listObjects(learned, far, '')), [])
  t.equal(learned.sent(), 3, 'asked the wrong region once')
  const wrong = testAccess(t, {
    ...options,
    upstream: { ...upstream, secretAccessKey: 'another-test-secret/not+real/0000000000' },
  })
  await t.rejects(all(listObjects(wrong, bucket, '')), {
    message:
      /^listing s3:\/\/bucket\/: the upstream answered SignatureDoesNotMatch \(status 403\); check secretAccessKey/,
  })
})

t.test('throttling and lost connections are tried again; a certificate that does not verify is not', async (t) => {
  const access = testAccess(t, options)
  let failures = 0
  origin.faults.intercept = () => {
    failures += 1
    if (failures === 1) return { type: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' }
    return failures === 2 ? { type: 'destroy' } : { type: 'proceed' }
  }
  t.teardown(() => origin.resetFaults())
  await all(listObjects(access, bucket, ''))
  t.equal(failures, 3)
  origin.resetFaults()
  const distrustful = testAccess(t, {
    ...options,
    upstream: { ...upstream, ca: makeAuthority({ name: 'somebody else' }).cert },
  })
  await t.rejects(all(listObjects(distrustful, bucket, '')), { message: /^no answer from the upstream \(tls\)/ })
  t.equal(distrustful.sent(), 1)
})
