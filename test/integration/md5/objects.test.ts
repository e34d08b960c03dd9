import { randomBytes } from 'node:crypto'
import t from 'tap'
import { pathOf, s3, sha256 } from '../../support/s3-client.js'
import { ODD_KEYS } from '../odd-keys.js'
import {
  completeUpload,
  createUpload,
  elementOf,
  etagOf,
  md5Base64,
  md5Rule,
  md5Stand,
  put,
  shownMD5,
  shownMD5Of,
  uploadPart,
} from './stand.js'

t.test('the ETag of an object is its MD5, at PUT, HEAD and GET, in every payload mode', async (t) => {
  const { client, origin, proxy } = await md5Stand(t)
  const body = randomBytes(200_000)
  const modes: Record<string, Record<string, string>> = {
    hashed: {},
    'not hashed': { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    'with Content-MD5': { 'content-md5': md5Base64(body) },
    'with Content-MD5, not hashed': { 'content-md5': md5Base64(body), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    compressed: { 'content-encoding': 'gzip' },
  }
  for (const [name, headers] of Object.entries(modes)) {
    const written = await put(client, name, body, { headers })
    t.equal(written.status, 200, name)
    t.equal(written.etag, shownMD5(body), 'PUT')
    t.equal(written.answer.headers['x-amz-checksum-md5'], undefined, 'nothing that the client did not ask for')
    t.equal(written.answer.headers['x-amz-server-side-encryption-customer-algorithm'], 'AES256')
    const got = await s3(client, 'GET', pathOf('bucket', name))
    t.equal(got.headers.etag, shownMD5(body), 'GET')
    t.same(got.body, body)
    t.equal(got.headers['content-encoding'], headers['content-encoding'], 'no framing is stored')
    t.equal(got.headers['x-amz-checksum-md5'], undefined)
    t.equal(await etagOf(client, name), shownMD5(body), 'HEAD')
  }
  const stored = origin.objects('bucket')
  t.equal(stored.length, Object.keys(modes).length)
  t.match((await proxy.lastEvent())?.attempts, 1, 'one request to the upstream for each of the client')
})

t.test('empty objects, and objects of odd names', async (t) => {
  const { client } = await md5Stand(t)
  for (const objectKey of ODD_KEYS) {
    for (const body of [Buffer.alloc(0), randomBytes(70_000)]) {
      const name = `${objectKey.slice(0, 30)} (${body.length} bytes)`
      t.equal((await put(client, objectKey, body)).etag, shownMD5(body), `PUT ${name}`)
      t.equal(await etagOf(client, objectKey), shownMD5(body), `HEAD ${name}`)
      const got = await s3(client, 'GET', pathOf('bucket', objectKey))
      t.same([got.status, got.body.equals(body), got.headers.etag], [200, true, shownMD5(body)], `GET ${name}`)
    }
  }
})

t.test('a client that brings a checksum of its own keeps it, and sees the opaque form everywhere', async (t) => {
  const { client } = await md5Stand(t)
  const headers = { 'x-amz-checksum-sha256': Buffer.from(sha256('abc'), 'hex').toString('base64') }
  const written = await put(client, 'own', 'abc', { headers })
  t.match(written.etag, /^"[0-9a-f]{32}-0"$/)
  t.equal(written.answer.headers['x-amz-checksum-sha256'], headers['x-amz-checksum-sha256'])
  t.equal(await etagOf(client, 'own'), written.etag)
  const asked = await s3(client, 'HEAD', pathOf('bucket', 'own'), { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
  t.equal(asked.headers['x-amz-checksum-sha256'], headers['x-amz-checksum-sha256'])
  const md5 = await put(client, 'md5', 'abc', { headers: { 'x-amz-checksum-md5': md5Base64('abc') } })
  t.equal(md5.etag, shownMD5('abc'), 'an MD5 of its own is as good')
  t.equal(md5.answer.headers['x-amz-checksum-md5'], md5Base64('abc'), 'and is the answer that it asked for')
  t.equal(await etagOf(client, 'md5'), shownMD5('abc'))
})

t.test('ranges and parts of an object show the ETag of the whole, without what was remembered as well', async (t) => {
  const { client, another, origin } = await md5Stand(t)
  const body = randomBytes(1000)
  await put(client, 'ranged', body)
  const fresh = await another()
  const range = { headers: { range: 'bytes=10-19' } }
  const first = await s3(fresh, 'GET', pathOf('bucket', 'ranged'), range)
  t.same([first.status, first.headers.etag, first.body.equals(body.subarray(10, 20))], [206, shownMD5(body), true])
  t.equal((await fresh.proxy.lastEvent())?.attempts, 2, 'a HEAD went before')
  t.equal(await etagOf(fresh, 'ranged', range, 'GET'), shownMD5(body))
  t.equal((await fresh.proxy.lastEvent())?.attempts, 1, 'and is remembered')
  t.equal(await etagOf(fresh, 'ranged', range, 'HEAD'), shownMD5(body))
  t.equal(await etagOf(fresh, 'ranged', { query: { partNumber: '1' } }, 'GET'), shownMD5(body))
  for (const value of ['bytes=0-1,5-9', 'bytes=x-', 'lines=1-2']) {
    const whole = await s3(fresh, 'GET', pathOf('bucket', 'ranged'), { headers: { range: value } })
    t.same([whole.status, whole.headers.etag, whole.body.length], [200, shownMD5(body), body.length], value)
  }
  const heard: string[] = []
  origin.faults.intercept = ({ method, fields }) => {
    if (method === 'GET') heard.push(fields.get('if-range') ?? '')
    return { type: 'proceed' }
  }
  for (const etag of [shownMD5(body), shownMD5('other')]) {
    const headers = { range: 'bytes=0-9', 'if-range': etag }
    t.equal(await etagOf(fresh, 'ranged', { headers }, 'GET'), shownMD5(body))
  }
  origin.resetFaults()
  t.match(heard[0], /^"[0-9a-f]{32}"$/)
  t.not(heard[0], shownMD5(body), "If-Range goes out with the upstream's ETag")
  t.equal(heard[1], shownMD5('other'), 'one that does not fit as it is')
  const other = randomBytes(500)
  await put(client, 'ranged', other)
  t.equal(
    await etagOf(fresh, 'ranged', range, 'GET'),
    shownMD5(other),
    'what was overwritten elsewhere is not believed',
  )
  t.equal(
    (await s3(fresh, 'GET', pathOf('bucket', 'ranged'), { headers: { range: 'bytes=9999-' } })).code,
    'InvalidRange',
  )
  t.equal((await s3(fresh, 'GET', pathOf('bucket', 'none'), range)).code, 'NoSuchKey')
})

t.test('more readers of ranges at a time than connections', async (t) => {
  const { client, another } = await md5Stand(t)
  const body = randomBytes(300_000)
  const keys = Array.from({ length: 12 }, (_, i) => `many/${i}`)
  for (const objectKey of keys) await put(client, objectKey, body)
  const narrow = await another({ overrides: { maxSockets: 2 } })
  const range = { headers: { range: 'bytes=1-299999' } }
  const etags = await Promise.all(keys.map((objectKey) => etagOf(narrow, objectKey, range, 'GET')))
  t.same(new Set(etags), new Set([shownMD5(body)]))
})

t.test(
  'an upload in parts has the ETag that S3 gives without encryption, over two proxies that share nothing',
  async (t) => {
    const { client, another, origin } = await md5Stand(t)
    const fresh = await another({}, 'v1', 'v2')
    const third = await another({}, 'v1', 'v2')
    const parts = [randomBytes(70_000), randomBytes(5), randomBytes(300)]
    const uploadId = await createUpload(client, 'in parts')
    const etags: string[] = []
    for (const [i, part] of parts.entries()) {
      const headers: Record<string, string> = i === 1 ? { 'content-md5': md5Base64(part) } : {}
      const sent = await uploadPart(i === 0 ? client : fresh, 'in parts', uploadId, i + 1, part, headers)
      t.equal(sent.etag, shownMD5(part), `part ${i + 1}`)
      etags.push(sent.etag)
    }
    const listed = await s3(fresh, 'GET', pathOf('bucket', 'in parts'), { query: { uploadId } })
    t.same(
      [...listed.text.matchAll(/<ETag>([^<]*)<\/ETag>/g)].map(([, etag]) => etag!.replaceAll('&quot;', '"')),
      etags,
      'ListParts says what UploadPart said',
    )
    t.equal(elementOf(listed.text, 'UploadId'), uploadId)
    const completed = await completeUpload(
      third,
      'in parts',
      uploadId,
      etags.map((etag, i) => ({ partNumber: i + 1, etag })),
    )
    t.equal(completed.status, 200, completed.text)
    t.equal(elementOf(completed.text, 'ETag'), shownMD5Of(parts))
    for (const side of [client, fresh, third]) {
      t.equal(await etagOf(side, 'in parts'), shownMD5Of(parts))
      t.equal(await etagOf(side, 'in parts', { headers: { range: 'bytes=3-9' } }, 'GET'), shownMD5Of(parts))
      t.equal(await etagOf(side, 'in parts', { query: { partNumber: '2' } }), shownMD5Of(parts), 'not that of the part')
    }
    const got = await s3(client, 'GET', pathOf('bucket', 'in parts'))
    t.same([got.headers.etag, got.body.equals(Buffer.concat(parts))], [shownMD5Of(parts), true])
    t.same(origin.uploads('bucket'), [])
  },
)

t.test('1001 parts: all pages of ListParts are read, and ETags come in every spelling', async (t) => {
  const { client, direct } = await md5Stand(t)
  const uploadId = await createUpload(client, 'many parts')
  const parts = Array.from({ length: 1001 }, (_, i) => Buffer.from(`part ${i + 1}`))
  const spellings = [
    (etag: string) => etag,
    (etag: string) => etag.replaceAll('"', '&quot;'),
    (etag: string) => etag.replaceAll('"', ''),
    (etag: string) => etag.toUpperCase(),
  ]
  const etags: { partNumber: number; etag: string }[] = []
  for (let at = 0; at < parts.length; at += 50) {
    const sent = await Promise.all(
      parts.slice(at, at + 50).map((part, i) => uploadPart(client, 'many parts', uploadId, at + i + 1, part)),
    )
    for (const [i, { etag }] of sent.entries()) {
      etags.push({ partNumber: at + i + 1, etag: spellings[(at + i) % spellings.length]!(etag) })
    }
  }
  const completed = await completeUpload(client, 'many parts', uploadId, etags)
  t.equal(elementOf(completed.text, 'ETag'), shownMD5Of(parts), completed.text.slice(0, 500))
  t.equal((await s3(direct, 'HEAD', pathOf('bucket', 'many parts'))).status, 400, 'encrypted')
})

t.test('an upload that another proxy or policy began', async (t) => {
  const { client, another } = await md5Stand(t)
  const opaque = await another({ rules: [{ ...md5Rule, etag: 'opaque' }] })
  const part = randomBytes(100)
  const before = await createUpload(opaque, 'begun')
  const sent = await uploadPart(client, 'begun', before, 1, part)
  t.match(sent.etag, /^"[0-9a-f]{32}-0"$/, 'its upload has no MD5')
  const done = await completeUpload(client, 'begun', before, [{ partNumber: 1, etag: sent.etag }])
  t.match(elementOf(done.text, 'ETag'), /^"[0-9a-f]{32}-1"$/, done.text)
  t.equal(await etagOf(client, 'begun'), elementOf(done.text, 'ETag'))

  const uploadId = await createUpload(client, 'listed')
  const listing = await s3(client, 'GET', '/bucket', { query: { uploads: '' } })
  const bare = elementOf(listing.text, 'UploadId')
  t.not(bare, uploadId, 'a listing gives the id of the upstream')
  const later = await another()
  const resumed = await uploadPart(later, 'listed', bare, 1, part)
  t.equal(resumed.etag, shownMD5(part), resumed.answer.text)
  const ended = await completeUpload(later, 'listed', bare, [{ partNumber: 1, etag: resumed.etag }])
  t.equal(elementOf(ended.text, 'ETag'), shownMD5Of([part]))

  const own = await createUpload(client, 'own', { 'x-amz-checksum-algorithm': 'SHA256' })
  const checksum = Buffer.from(sha256(part), 'hex').toString('base64')
  const owned = await uploadPart(client, 'own', own, 1, part, { 'x-amz-checksum-sha256': checksum })
  t.match(owned.etag, /^"[0-9a-f]{32}-0"$/, 'the client has chosen another checksum')
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${owned.etag}</ETag><ChecksumSHA256>${checksum}</ChecksumSHA256></Part></CompleteMultipartUpload>`
  const last = await s3(client, 'POST', pathOf('bucket', 'own'), { query: { uploadId: own }, body })
  t.match(elementOf(last.text, 'ETag'), /^"[0-9a-f]{32}-1"$/, last.text)
})

t.test('an upload that was created with MD5s goes on where the rule says otherwise by now', async (t) => {
  const { client, another } = await md5Stand(t)
  const parts = [randomBytes(70_000), randomBytes(100), randomBytes(300)]
  for (const etag of ['opaque', 'passthrough'] as const) {
    const later = await another({ rules: [{ ...md5Rule, etag }] })
    const uploadId = await createUpload(client, etag)
    const sent = [await uploadPart(client, etag, uploadId, 1, parts[0]!)]
    sent.push(await uploadPart(later, etag, uploadId, 2, parts[1]!))
    t.equal(sent[1]!.status, 200, sent[1]!.answer.text)
    t.match(sent[1]!.etag, etag === 'opaque' ? /^"[0-9a-f]{32}-0"$/ : /^"[0-9a-f]{32}"$/)
    const headers = { 'content-md5': md5Base64(parts[2]!) }
    sent.push(await uploadPart(later, etag, uploadId, 3, parts[2]!, headers))
    t.equal(sent[2]!.status, 200, sent[2]!.answer.text)
    if (etag === 'opaque') t.equal(sent[2]!.answer.headers['x-amz-checksum-md5'], undefined)
    const named = sent.map((part, i) => ({ partNumber: i + 1, etag: part.etag }))
    const done = await completeUpload(later, etag, uploadId, named)
    t.equal(done.status, 200, done.text)
    t.equal(await etagOf(client, etag), shownMD5Of(parts), 'nothing is missing')
    t.match(await etagOf(later, etag), /^"[0-9a-f]{32}-3"$/)
  }
})

t.test('the word for no MD5 is not an ETag of a part without one', async (t) => {
  const { client, another, origin } = await md5Stand(t)
  const opaque = await another({ rules: [{ ...md5Rule, etag: 'opaque' }] })
  await createUpload(opaque, 'none')
  const listing = await s3(client, 'GET', '/bucket', { query: { uploads: '' } })
  const uploadId = elementOf(listing.text, 'UploadId')
  const part = await uploadPart(client, 'none', uploadId, 1, Buffer.from('abc'))
  t.match(part.etag, /-0"$/)
  const named = await completeUpload(client, 'none', uploadId, [{ partNumber: 1, etag: 'none' }])
  t.equal(named.code, 'InvalidPart')
  t.same(origin.objects(), [])
})

t.test('versions have their own MD5s: ranges, conditions, copies, deletes', async (t) => {
  const { client, another, origin } = await md5Stand(t)
  origin.setVersioning('bucket', 'Enabled')
  const put1 = await put(client, 'object', 'first')
  await put(client, 'object', 'second')
  const versionId = String(put1.answer.headers['x-amz-version-id'])
  const fresh = await another({}, 'v1', 'v2')
  const at = pathOf('bucket', 'object')
  const range = { range: 'bytes=0-2' }
  for (const side of [client, fresh, fresh]) {
    t.equal(await etagOf(side, 'object', { headers: range }, 'GET'), shownMD5('second'))
    t.equal(await etagOf(side, 'object', { headers: range, query: { versionId } }, 'GET'), shownMD5('first'))
  }
  for (const [etag, query, status] of [
    [shownMD5('first'), { versionId }, 200],
    [shownMD5('second'), { versionId }, 412],
    [shownMD5('first'), {}, 412],
    [shownMD5('second'), {}, 200],
  ] as const) {
    t.equal((await s3(fresh, 'GET', at, { query, headers: { 'if-match': etag } })).status, status)
    const source = 'versionId' in query ? `/bucket/object?versionId=${versionId}` : '/bucket/object'
    const headers = { 'x-amz-copy-source': source, 'x-amz-copy-source-if-match': etag }
    t.equal((await s3(fresh, 'PUT', pathOf('bucket', 'copy'), { headers })).status, status, `${source} ${etag}`)
  }
  t.equal((await put(fresh, 'object', 'third', { headers: { 'if-match': shownMD5('first') } })).status, 412)
  t.equal((await put(fresh, 'object', 'third', { headers: { 'if-match': shownMD5('second') } })).status, 200)
  t.equal(await etagOf(fresh, 'object', { headers: range }, 'GET'), shownMD5('third'))
  await s3(client, 'DELETE', at)
  t.equal((await put(fresh, 'object', 'fourth', { headers: { 'if-match': shownMD5('third') } })).status, 404)
  t.equal(await etagOf(client, 'object', { query: { versionId } }), shownMD5('first'))
})

t.test('a wrong ETag of a part is refused', async (t) => {
  const { client, origin } = await md5Stand(t)
  const uploadId = await createUpload(client, 'wrong')
  const one = await uploadPart(client, 'wrong', uploadId, 1, Buffer.from('one'))
  const two = await uploadPart(client, 'wrong', uploadId, 2, Buffer.from('two'))
  const swapped = await completeUpload(client, 'wrong', uploadId, [
    { partNumber: 1, etag: two.etag },
    { partNumber: 2, etag: one.etag },
  ])
  t.not(swapped.code, '')
  t.equal(swapped.status, 400)
  t.same(origin.objects('bucket'), [])
  const none = await completeUpload(client, 'wrong', uploadId, [{ partNumber: 3, etag: one.etag }])
  t.equal(none.status, 400)
  const gap = await completeUpload(client, 'wrong', uploadId, [{ partNumber: 2, etag: two.etag }])
  t.equal(gap.code, 'InvalidPartOrder', 'parts with checksums are numbered without gaps')
  t.same(origin.objects('bucket'), [])
})

t.test('copies show the MD5 of what they copied', async (t) => {
  const { client, another } = await md5Stand(t)
  const body = randomBytes(1000)
  await put(client, 'source', body)
  const copy = (side: typeof client, to: string, headers: Record<string, string> = {}, query = {}) =>
    s3(side, 'PUT', pathOf('bucket', to), { query, headers: { 'x-amz-copy-source': '/bucket/source', ...headers } })
  const copied = await copy(client, 'copy')
  t.equal(elementOf(copied.text, 'ETag'), shownMD5(body), copied.text)
  t.equal(await etagOf(client, 'copy'), shownMD5(body))
  const fresh = await another({}, 'v1', 'v2')
  for (const [etag, status] of [
    [shownMD5(body), 200],
    [shownMD5('other'), 412],
  ] as const) {
    t.equal((await copy(fresh, 'if', { 'x-amz-copy-source-if-match': etag })).status, status, `if-match ${status}`)
    const unless = await copy(fresh, 'if', { 'x-amz-copy-source-if-none-match': etag })
    t.equal(unless.status, 612 - status, 'if-none-match')
  }
  const uploadId = await createUpload(fresh, 'in parts')
  const part = await copy(fresh, 'in parts', { 'x-amz-copy-source-range': 'bytes=0-99' }, { partNumber: '1', uploadId })
  t.equal(elementOf(part.text, 'ETag'), shownMD5(body.subarray(0, 100)), part.text)
  const etag = elementOf(part.text, 'ETag')
  const done = await completeUpload(fresh, 'in parts', uploadId, [{ partNumber: 1, etag }])
  t.equal(elementOf(done.text, 'ETag'), shownMD5Of([body.subarray(0, 100)]), done.text)
})

t.test(
  'GetObjectAttributes shows what HEAD shows, with the checksum asked for and without; lists the opaque form',
  async (t) => {
    const { client } = await md5Stand(t)
    await put(client, 'attributes', 'abc')
    for (const asked of ['ETag', 'ETag,Checksum,ObjectSize']) {
      const answer = await s3(client, 'GET', pathOf('bucket', 'attributes'), {
        query: { attributes: '' },
        headers: { 'x-amz-object-attributes': asked },
      })
      t.equal(`"${elementOf(answer.text, 'ETag')}"`, shownMD5('abc'), answer.text)
    }
    for (const query of [{ 'list-type': '2' }, {}, { versions: '' }]) {
      const list = await s3(client, 'GET', '/bucket', { query })
      t.match(elementOf(list.text, 'ETag'), /^"[0-9a-f]{32}-0"$/)
    }
  },
)
