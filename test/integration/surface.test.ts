import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import t, { type Test } from 'tap'
import { S3Client, SelectObjectContentCommand } from '@aws-sdk/client-s3'
import type { Permission } from '../../src/config/types.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { encodeForm, fieldParts, filePart, formType, v4Form } from '../support/post-form.js'
import { CLIENT, READER, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { s3, send, type S3Side } from '../support/s3-client.js'

// What S3 can do beside reading and writing, through the proxy, on objects under a customer key.

const origin = await startTestOrigin({ buckets: ['bucket', 'versions'], minimumPartSize: 1 })
origin.setVersioning('versions', 'Enabled')
t.teardown(() => origin.close())
t.afterEach(() => origin.resetFaults())
const ca = testCertificates().authority.cert
const upstream = { port: origin.port, ca, ...ORIGIN_CREDENTIALS, region: 'us-east-1' }

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, ...options })
  const reader: S3Side = { port: proxy.port, ...READER }
  return { proxy, reader, client: { port: proxy.port, ...CLIENT } satisfies S3Side }
}
const grant = (prefix: string, ...permissions: Permission[]) => ({ bucket: '*', prefixes: [prefix], permissions })
const md5 = (text: string) => createHash('md5').update(text).digest('base64')
const document = (body: string) => ({ body, headers: { 'content-md5': md5(body) } })
const version = (answer: { headers: Record<string, unknown> }) => String(answer.headers['x-amz-version-id'])

t.test('SelectObjectContent: rows of an encrypted object, in the event stream that the SDK reads', async (t) => {
  const { client, reader, proxy } = await start(t, { readerGrants: [grant('', 'write', 'delete', 'list', 'manage')] })
  await s3(client, 'PUT', '/bucket/table.csv', { body: 'a,1\nb,2\nc,3\n' })
  const sdk = new S3Client({
    endpoint: `https://localhost:${proxy.port}`,
    region: 'us-east-1',
    credentials: { ...CLIENT },
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { httpsAgent: new Agent({ ca }) },
  })
  t.teardown(() => sdk.destroy())
  const answer = await sdk.send(
    new SelectObjectContentCommand({
      Bucket: 'bucket',
      Key: 'table.csv',
      ExpressionType: 'SQL',
      Expression: 'SELECT s._2, s._1 FROM S3Object s LIMIT 2',
      InputSerialization: { CSV: {} },
      OutputSerialization: { CSV: {} },
    }),
  )
  let rows = ''
  let ended = false
  for await (const event of answer.Payload!) {
    if (event.Records?.Payload) rows += Buffer.from(event.Records.Payload).toString()
    if (event.End) ended = true
  }
  t.equal(rows, '1,a\n2,b\n')
  t.ok(ended)
  const select = { query: { select: '', 'select-type': '2' }, body: '<SelectObjectContentRequest/>' }
  t.equal((await s3(client, 'POST', '/bucket/table.csv', select)).code, 'MissingRequiredParameter')
  t.equal((await s3(client, 'POST', '/bucket/none', select)).code, 'NoSuchKey')
  t.equal((await s3(reader, 'POST', '/bucket/table.csv', select)).code, 'AccessDenied', 'it reads, so it needs read')
})

t.test('versions: older ones, delete markers, conditional deletes, listings', async (t) => {
  const { client } = await start(t)
  const one = await s3(client, 'PUT', '/versions/a', { body: 'one' })
  const two = await s3(client, 'PUT', '/versions/a', { body: 'two' })
  t.equal((await s3(client, 'GET', '/versions/a', { query: { versionId: version(one) } })).text, 'one')
  const marked = await s3(client, 'DELETE', '/versions/a')
  t.equal(marked.headers['x-amz-delete-marker'], 'true')
  const gone = await s3(client, 'GET', '/versions/a')
  t.same([gone.code, gone.headers['x-amz-delete-marker']], ['NoSuchKey', 'true'])
  const named = await s3(client, 'GET', '/versions/a', { query: { versionId: version(marked) } })
  t.equal(named.code, 'MethodNotAllowed')
  const listed = await s3(client, 'GET', '/versions', { query: { versions: '', prefix: 'a' } })
  t.match(listed.text, `<VersionId>${version(two)}</VersionId>`)
  t.match(listed.text, /<ETag>&quot;[0-9a-f]{32}-0&quot;/, 'ETags as everywhere')
  const bad = await s3(client, 'GET', '/versions/a', { query: { versionId: 'nonsense' } })
  t.equal(bad.status, 400)
  const copied = await s3(client, 'PUT', '/versions/b', {
    headers: { 'x-amz-copy-source': `/versions/a?versionId=${version(one)}` },
  })
  t.equal(copied.status, 200, copied.text)
  t.equal((await s3(client, 'GET', '/versions/b')).text, 'one')
  const etag = String((await s3(client, 'HEAD', '/versions/b')).headers.etag)
  const other = '"00000000000000000000000000000000-0"'
  t.equal((await s3(client, 'DELETE', '/versions/b', { headers: { 'if-match': other } })).code, 'PreconditionFailed')
  t.equal((await s3(client, 'DELETE', '/versions/b', { headers: { 'if-match': etag } })).status, 204)
})

t.test('tags, ACLs, website redirects and answers on request, beside the key', async (t) => {
  const { client, reader } = await start(t, { readerGrants: [grant('open/', 'read')] })
  const headers = { 'x-amz-tagging': 'colour=blue&a%20b=c%2Bd', 'x-amz-website-redirect-location': '/elsewhere' }
  t.equal((await s3(client, 'PUT', '/bucket/open/t', { body: 'tagged', headers })).status, 200)
  t.match(
    (await s3(client, 'GET', '/bucket/open/t', { query: { tagging: '' } })).text,
    '<Key>a b</Key><Value>c+d</Value>',
  )
  const tags = '<Tagging><TagSet><Tag><Key>k</Key><Value>&lt;v&gt;</Value></Tag></TagSet></Tagging>'
  t.equal((await s3(client, 'PUT', '/bucket/open/t', { query: { tagging: '' }, ...document(tags) })).status, 200)
  t.match((await s3(reader, 'GET', '/bucket/open/t', { query: { tagging: '' } })).text, '&lt;v&gt;')
  t.equal(
    (await s3(reader, 'PUT', '/bucket/open/t', { query: { tagging: '' }, ...document(tags) })).code,
    'AccessDenied',
  )
  t.match((await s3(client, 'GET', '/bucket/open/t', { query: { acl: '' } })).text, 'FULL_CONTROL')
  const opened = await s3(client, 'PUT', '/bucket/open/t', {
    query: { acl: '' },
    headers: { 'x-amz-acl': 'public-read' },
  })
  t.equal(opened.code, 'AccessControlListNotSupported', "S3's own words")
  const got = await s3(client, 'GET', '/bucket/open/t', {
    query: { 'response-content-type': 'text/x-odd', 'response-cache-control': 'no-store', partNumber: '1' },
  })
  t.same([got.status, got.headers['content-type'], got.headers['cache-control']], [206, 'text/x-odd', 'no-store'])
  t.equal(got.headers['x-amz-website-redirect-location'], '/elsewhere', 'said, not followed')
  await s3(client, 'PUT', '/bucket/copy', { headers: { 'x-amz-copy-source': '/bucket/open/t' } })
  t.equal((await s3(client, 'HEAD', '/bucket/copy')).headers['x-amz-website-redirect-location'], undefined)
  t.equal((await s3(client, 'DELETE', '/bucket/open/t', { query: { tagging: '' } })).status, 204)
  const twice = await s3(client, 'PUT', '/bucket/copy', { body: 'x', headers: { 'if-none-match': '*' } })
  t.equal(twice.code, 'PreconditionFailed')
})

t.test('a website redirect is metadata in every way of writing, and is answered as S3 answers it', async (t) => {
  const { client, proxy } = await start(t)
  const name = 'x-amz-website-redirect-location'
  const there = 'https://example.com/there?a=b#c'
  await s3(client, 'PUT', '/bucket/site/put', { body: 'here', headers: { [name]: there } })
  const created = await s3(client, 'POST', '/bucket/site/parts', { query: { uploads: '' }, headers: { [name]: there } })
  const uploadId = /<UploadId>(.+)<\/UploadId>/.exec(created.text)![1]!
  const part = await s3(client, 'PUT', '/bucket/site/parts', { query: { partNumber: '1', uploadId }, body: 'here' })
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(part.headers.etag)}</ETag></Part></CompleteMultipartUpload>`
  t.equal((await s3(client, 'POST', '/bucket/site/parts', { query: { uploadId }, body })).status, 200)
  const copied = { 'x-amz-copy-source': '/bucket/site/put', 'x-amz-metadata-directive': 'REPLACE', [name]: there }
  t.equal((await s3(client, 'PUT', '/bucket/site/copied', { headers: copied })).status, 200)
  const fields = v4Form({ credentials: CLIENT, bucket: 'bucket', fields: { key: 'site/form', [name]: there } })
  const form = encodeForm([...fieldParts(fields), filePart('here')])
  const headers = { 'content-type': formType(), 'content-length': form.length }
  const posted = await send({ port: proxy.port }, { method: 'POST', path: '/bucket', headers }, form)
  t.equal(posted.status, 204, posted.text)
  for (const way of ['put', 'parts', 'copied', 'form']) {
    const got = await s3(client, 'GET', `/bucket/site/${way}`)
    t.same([got.status, got.text, got.headers[name], got.headers.location], [200, 'here', there, undefined], way)
    t.equal((await s3(client, 'HEAD', `/bucket/site/${way}`)).headers[name], there, way)
  }
  const nowhere = await s3(client, 'PUT', '/bucket/site/nowhere', { body: 'x', headers: { [name]: 'nowhere' } })
  t.equal(nowhere.code, 'InvalidRedirectLocation', "S3's own word")
  t.ok(origin.objects('bucket').every(({ encrypted }) => encrypted))
})

t.test('retention and legal hold keep versions, and the bypass needs manage', async (t) => {
  const { client, reader } = await start(t, { readerGrants: [grant('', 'read', 'write', 'delete')] })
  const made = await s3(client, 'PUT', '/locked', { headers: { 'x-amz-bucket-object-lock-enabled': 'true' } })
  t.equal(made.status, 200, made.text)
  const put = await s3(client, 'PUT', '/locked/a', { body: 'kept' })
  const query = { versionId: version(put) }
  const retention = (mode: string, year: number) =>
    document(`<Retention><Mode>${mode}</Mode><RetainUntilDate>${year}-01-01T00:00:00Z</RetainUntilDate></Retention>`)
  const none = await s3(client, 'GET', '/locked/a', { query: { retention: '' } })
  t.equal(none.code, 'NoSuchObjectLockConfiguration')
  const set = (side: S3Side, call: ReturnType<typeof retention>, more: Record<string, string> = {}) =>
    s3(side, 'PUT', '/locked/a', { query: { retention: '' }, body: call.body, headers: { ...call.headers, ...more } })
  t.equal((await set(client, retention('GOVERNANCE', 2100))).status, 200)
  t.equal((await s3(client, 'DELETE', '/locked/a', { query })).code, 'AccessDenied')
  const bypass = { 'x-amz-bypass-governance-retention': 'true' }
  t.equal((await set(reader, retention('GOVERNANCE', 2050), bypass)).code, 'AccessDenied', 'without manage')
  t.equal((await s3(reader, 'DELETE', '/locked/a', { query, headers: bypass })).code, 'AccessDenied')
  t.match((await s3(reader, 'GET', '/locked/a', { query: { retention: '' } })).text, '2100-01-01')
  t.equal((await set(client, retention('GOVERNANCE', 2050), bypass)).status, 200)
  const hold = document('<LegalHold><Status>ON</Status></LegalHold>')
  t.equal((await s3(client, 'PUT', '/locked/a', { query: { 'legal-hold': '' }, ...hold })).status, 200)
  const head = await s3(client, 'HEAD', '/locked/a')
  t.equal(head.headers['x-amz-object-lock-mode'], 'GOVERNANCE')
  t.equal(head.headers['x-amz-object-lock-legal-hold'], 'ON')
  t.equal((await s3(client, 'DELETE', '/locked/a', { query, headers: bypass })).code, 'AccessDenied', 'held')
  const free = document('<LegalHold><Status>OFF</Status></LegalHold>')
  t.equal((await s3(client, 'PUT', '/locked/a', { query: { 'legal-hold': '' }, ...free })).status, 200)
  t.equal((await s3(client, 'DELETE', '/locked/a', { query, headers: bypass })).status, 204)
  const locked = await s3(client, 'PUT', '/locked/b', {
    ...document('kept from the start'),
    headers: {
      'content-md5': md5('kept from the start'),
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': '2100-01-01T00:00:00Z',
    },
  })
  t.equal(locked.status, 200, locked.text)
  const kept = await s3(client, 'DELETE', '/locked/b', { query: { versionId: version(locked) }, headers: bypass })
  t.equal(kept.code, 'AccessDenied')
})

t.test('restore: of an archived object, but never a select that writes elsewhere', async (t) => {
  const { client, reader } = await start(t, { readerGrants: [grant('', 'read')] })
  await s3(client, 'PUT', '/bucket/cold', { body: 'archived', headers: { 'x-amz-storage-class': 'GLACIER' } })
  t.equal((await s3(client, 'GET', '/bucket/cold')).code, 'InvalidObjectState')
  const restore = (side: S3Side, body: string) =>
    s3(side, 'POST', '/bucket/cold', { query: { restore: '' }, ...document(body) })
  const days = '<RestoreRequest><Days>2</Days></RestoreRequest>'
  t.equal((await restore(reader, days)).code, 'AccessDenied')
  const elsewhere =
    '<RestoreRequest><Type>SELECT</Type><OutputLocation><S3><BucketName>bucket</BucketName></S3></OutputLocation></RestoreRequest>'
  t.equal((await restore(client, elsewhere)).code, 'NotImplemented')
  t.equal((await restore(client, days)).status, 202)
  t.match((await s3(client, 'HEAD', '/bucket/cold')).headers['x-amz-restore'], 'ongoing-request="false"')
  t.equal((await s3(client, 'GET', '/bucket/cold')).text, 'archived')
})

t.test('batch deletes: quiet, versions, odd keys, each key by its own grant', async (t) => {
  const { client, reader, proxy } = await start(t, { readerGrants: [grant('mine/', 'delete')] })
  const keys = ['mine/a//b', 'mine/../x', 'mine/%2F', 'mine/+ &amp;', 'mine/日本']
  const path = (key: string) => `/versions/${encodeURIComponent(key.replace('&amp;', '&')).replaceAll('%2F', '/')}`
  const versions: string[] = []
  for (const key of keys) versions.push(version(await s3(client, 'PUT', path(key), { body: key })))
  const objects = (more = '') => keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('') + more
  const send = (side: S3Side, body: string) =>
    s3(side, 'POST', '/versions', { query: { delete: '' }, ...document(body) })
  const mixed = await send(reader, `<Delete>${objects('<Object><Key>theirs/z</Key></Object>')}</Delete>`)
  t.equal(mixed.code, 'AccessDenied', 'one key without permission')
  t.equal((await proxy.lastEvent())?.attempts, 0)
  const bypass = await s3(reader, 'POST', '/versions', {
    query: { delete: '' },
    body: `<Delete>${objects()}</Delete>`,
    headers: { 'x-amz-bypass-governance-retention': 'true' },
  })
  t.equal(bypass.code, 'AccessDenied', 'the bypass needs manage for the whole bucket')
  t.equal((await proxy.lastEvent())?.attempts, 0)
  const quiet = await send(reader, `<Delete><Quiet>true</Quiet>${objects()}</Delete>`)
  t.equal(quiet.status, 200, quiet.text)
  t.notMatch(quiet.text, '<Deleted>')
  for (const key of keys) t.equal((await s3(client, 'HEAD', path(key))).status, 404, key)
  const back = await s3(client, 'GET', path(keys[0]!), { query: { versionId: versions[0]! } })
  t.equal(back.text, keys[0], 'the version is there still')
  const final = await send(
    reader,
    `<Delete><Object><Key>${keys[0]!}</Key><VersionId>${versions[0]!}</VersionId></Object></Delete>`,
  )
  t.match(final.text, '<Deleted>')
  t.equal((await s3(client, 'GET', path(keys[0]!), { query: { versionId: versions[0]! } })).status, 404)
})

t.test('documents that are bombs, tricks or tampered with go nowhere', async (t) => {
  const { client, proxy } = await start(t)
  const key = '<Object><Key>a</Key></Object>'
  const bomb = `<!DOCTYPE d [${Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('')}]>`
  const documents = [
    `${bomb}<Delete><Object><Key>&e9;</Key></Object></Delete>`,
    '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>',
    `<Delete>${key.repeat(1001)}</Delete>`,
    `<Delete>${'<Object>'.repeat(500)}</Delete>`,
    `<Delete><!-- -->${key}</Delete>`,
    '<Delete><Object><Key><![CDATA[a]]></Key></Object></Delete>',
    `<Delete>${key}<Object><Key>b</Key><Key>c</Key></Object></Delete>`,
    `<Delete>${key}`,
    '',
  ]
  for (const body of documents) {
    const answer = await s3(client, 'POST', '/bucket', { query: { delete: '' }, ...document(body) })
    t.equal(answer.code, 'MalformedXML', body.slice(0, 60))
  }
  const body = `<Delete>${key}</Delete>`
  const swapped = body.replace('>a<', '>b<')
  const tampered = await s3(client, 'POST', '/bucket', { query: { delete: '' }, body, wire: Buffer.from(swapped) })
  t.equal(tampered.code, 'XAmzContentSHA256Mismatch')
  const digest = await s3(client, 'POST', '/bucket', {
    query: { delete: '' },
    body,
    headers: { 'content-md5': md5(swapped) },
  })
  t.equal(digest.code, 'BadDigest')
  await proxy.lastEvent()
  t.ok(
    proxy.events.every(({ attempts }) => attempts === 0),
    'the upstream never heard of it',
  )
})

t.test('whose bucket it is and who pays travel on, with the questions of the proxy too', async (t) => {
  const { client } = await start(t)
  await s3(client, 'PUT', '/bucket/paid', { body: 'x' })
  const seen: string[] = []
  origin.faults.intercept = ({ method, fields }) => {
    seen.push(
      `${method} ${fields.get('x-amz-expected-bucket-owner') ?? '-'} ${fields.get('x-amz-request-payer') ?? '-'}`,
    )
    return { type: 'proceed' }
  }
  await s3(client, 'GET', '/bucket/paid', {
    query: { attributes: '' },
    headers: {
      'x-amz-object-attributes': 'ObjectSize',
      'x-amz-expected-bucket-owner': '111122223333',
      'x-amz-request-payer': 'requester',
    },
  })
  t.same(seen, ['HEAD 111122223333 requester', 'GET 111122223333 requester'])
})

t.test('a copy needs read on its source, whatever else the identity may do', async (t) => {
  const { client, reader, proxy } = await start(t, {
    readerGrants: [grant('mine/', 'read', 'write', 'delete', 'list')],
  })
  await s3(client, 'PUT', '/bucket/theirs/a', { body: 'secret' })
  await proxy.lastEvent()
  const before = proxy.events.length
  const sources = [
    '/bucket/theirs/a',
    'bucket/theirs/a',
    '/bucket/mine/../theirs/a',
    '/bucket/theirs%2Fa',
    '/bucket/theirs/a?versionId=null',
  ]
  for (const source of sources) {
    const copied = await s3(reader, 'PUT', '/bucket/mine/c', { headers: { 'x-amz-copy-source': source } })
    // `mine/../theirs/a` is an object of that very name, under mine/, which does not exist.
    t.equal(copied.code, source.includes('..') ? 'NoSuchKey' : 'AccessDenied', source)
  }
  await proxy.lastEvent()
  const asked = proxy.events.slice(before).filter(({ attempts }) => attempts > 0)
  t.equal(asked.length, 1)
})
