import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Readable } from 'node:stream'
import t from 'tap'
import { pathOf, s3, sha256 } from '../../support/s3-client.js'
import { completeUpload, createUpload, etagOf, md5Base64, md5Stand, put, shownMD5, uploadPart } from './stand.js'

const BODY = randomBytes(300_000)

t.test('a body that is not what was signed leaves no object, and no trailer', async (t) => {
  const { client, origin } = await md5Stand(t)
  const other = Buffer.from(BODY)
  other[200_000]! ^= 1
  const wrong: [string, string, Parameters<typeof put>[3]][] = [
    ['a changed byte', 'XAmzContentSHA256Mismatch', { body: BODY, wire: other }],
    ['another Content-MD5', 'BadDigest', { body: BODY, headers: { 'content-md5': md5Base64(other) } }],
    ['a Content-MD5 that is none', 'InvalidDigest', { body: BODY, headers: { 'content-md5': 'abc' } }],
    ['another x-amz-checksum-md5', 'BadDigest', { body: BODY, headers: { 'x-amz-checksum-md5': md5Base64(other) } }],
    [
      'another Content-MD5, not hashed',
      'BadDigest',
      { body: BODY, headers: { 'content-md5': md5Base64(other), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ],
  ]
  for (const [name, code, call] of wrong) {
    const answer = await put(client, 'wrong', BODY, call)
    t.equal(answer.answer.code, code, name)
    const uploadId = await createUpload(client, 'in parts')
    const part = await put(client, 'in parts', BODY, { ...call, query: { partNumber: '1', uploadId } })
    t.equal(part.answer.code, code, `${name}, a part`)
    t.same(
      origin.uploads('bucket').map(({ parts }) => parts),
      [0],
      'no part',
    )
    await s3(client, 'DELETE', pathOf('bucket', 'in parts'), { query: { uploadId } })
  }
  t.same(origin.objects(), [])
})

t.test('a client that leaves in the middle leaves no object', async (t) => {
  const { client, origin, proxy } = await md5Stand(t)
  async function* half() {
    yield BODY.subarray(0, 150_000)
    await delay(50)
    throw new Error('the client is gone')
  }
  const wire = Readable.from(half(), { objectMode: false })
  await t.rejects(
    put(client, 'left', BODY, {
      body: BODY,
      headers: { 'content-length': String(BODY.length) },
      wire,
      onRequest: (request) => wire.on('error', () => request.destroy(new Error('the client is gone'))),
    }),
  )
  t.match((await proxy.lastEvent())?.outcome, /client-gone|refused/)
  await origin.idle()
  t.same(origin.objects(), [])
})

t.test('an upstream that goes away in the middle of a body', async (t) => {
  const { client, origin } = await md5Stand(t)
  origin.faults.intercept = ({ method }) => (method === 'PUT' ? { type: 'destroy' } : { type: 'proceed' })
  t.equal((await put(client, 'gone', BODY)).status, 503)
  origin.resetFaults()
  t.same(origin.objects(), [])
  t.equal((await put(client, 'gone', BODY)).etag, shownMD5(BODY))
  origin.faults.truncateBodies = 1000
  await t.rejects(s3(client, 'GET', pathOf('bucket', 'gone')), 'a short answer is a broken one')
})

t.test('an upstream that cannot be asked for an ETag', async (t) => {
  const { client, origin, another } = await md5Stand(t)
  await put(client, 'object', BODY)
  const fresh = await another()
  origin.faults.intercept = ({ method }) => (method === 'HEAD' ? { type: 'destroy' } : { type: 'proceed' })
  const range = { headers: { range: 'bytes=0-9' } }
  t.equal((await s3(fresh, 'GET', pathOf('bucket', 'object'), range)).status, 503)
  t.equal((await put(fresh, 'object', 'next', { headers: { 'if-match': shownMD5(BODY) } })).status, 503)
  origin.faults.intercept = ({ method }) => (method === 'HEAD' ? { type: 'answer', status: 403 } : { type: 'proceed' })
  t.match(await etagOf(fresh, 'object', range, 'GET'), /-0"$/, 'a HEAD that is denied tells nothing')
  t.equal(
    (await put(fresh, 'object', 'next', { headers: { 'if-match': shownMD5(BODY) } })).status,
    412,
    'and fits nothing',
  )
  origin.resetFaults()
  t.equal(await etagOf(fresh, 'object'), shownMD5(BODY), 'nothing was written')
})

t.test('an upstream that is busy refuses nothing: no condition is taken for fitting, or not', async (t) => {
  const { client, origin, another } = await md5Stand(t)
  await put(client, 'object', BODY)
  await put(client, 'copy', 'before')
  const fresh = await another()
  const copy = () =>
    s3(fresh, 'PUT', pathOf('bucket', 'copy'), {
      headers: { 'x-amz-copy-source': '/bucket/object', 'x-amz-copy-source-if-none-match': shownMD5(BODY) },
    })
  const body = `<Delete><Object><Key>object</Key><ETag>${shownMD5(BODY)}</ETag></Object></Delete>`
  for (const status of [429, 500, 503]) {
    origin.faults.intercept = ({ method }) => (method === 'HEAD' ? { type: 'answer', status } : { type: 'proceed' })
    const range = await s3(fresh, 'GET', pathOf('bucket', 'object'), { headers: { range: 'bytes=0-9' } })
    t.same([range.status, range.code], [503, 'ServiceUnavailable'], `${status}: a range`)
    t.match(range.text, "could not be asked for the object's ETag")
    const written = await put(fresh, 'object', 'next', { headers: { 'if-match': shownMD5(BODY) } })
    t.equal(written.status, 503, `${status}: If-Match`)
    const read = await s3(fresh, 'GET', pathOf('bucket', 'object'), { headers: { 'if-none-match': shownMD5(BODY) } })
    t.equal(read.status, 503, `${status}: If-None-Match`)
    t.equal((await copy()).status, 503, `${status}: a copy that must not be made`)
    const headers = { 'content-md5': md5Base64(body) }
    const deleted = await s3(fresh, 'POST', '/bucket', { query: { delete: '' }, body, headers })
    t.equal(deleted.status, 503, `${status}: a batch delete`)
  }
  origin.resetFaults()
  t.equal(await etagOf(client, 'copy'), shownMD5('before'))
  t.equal((await copy()).status, 412)
  t.equal(await etagOf(fresh, 'object'), shownMD5(BODY))
})

t.test('a part that is overwritten while its upload is completed', async (t) => {
  const { client, origin } = await md5Stand(t)
  const uploadId = await createUpload(client, 'object')
  const { etag } = await uploadPart(client, 'object', uploadId, 1, BODY)
  origin.faults.intercept = async ({ method, target }) => {
    if (method === 'POST' && target.includes('uploadId')) {
      origin.resetFaults()
      await uploadPart(client, 'object', uploadId, 1, Buffer.from('other bytes'))
    }
    return { type: 'proceed' }
  }
  const late = await completeUpload(client, 'object', uploadId, [{ partNumber: 1, etag }])
  t.equal(late.code, 'InvalidPart', 'what was listed before decides nothing')
  t.same(origin.objects(), [])
  const again = await completeUpload(client, 'object', uploadId, [{ partNumber: 1, etag: shownMD5('other bytes') }])
  t.equal(again.status, 200, again.text)
})

t.test('parts that cannot be listed', async (t) => {
  const { client, origin } = await md5Stand(t)
  const uploadId = await createUpload(client, 'object')
  const { etag } = await uploadPart(client, 'object', uploadId, 1, BODY)
  const parts = [{ partNumber: 1, etag }]
  for (const answer of [
    { type: 'answer', status: 500, body: '<Error><Code>InternalError</Code></Error>' },
    { type: 'answer', status: 200, body: 'no XML' },
    { type: 'answer', status: 200, body: '<ListPartsResult><Part>' },
    { type: 'destroy' },
  ] as const) {
    origin.faults.intercept = ({ method, target }) =>
      method === 'GET' && target.includes('uploadId') ? answer : { type: 'proceed' }
    const tried = await completeUpload(client, 'object', uploadId, parts)
    t.equal(tried.status, 503, tried.text)
  }
  origin.faults.intercept = ({ method, target }) =>
    method === 'GET' && target.includes('uploadId')
      ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
      : { type: 'proceed' }
  const denied = await completeUpload(client, 'object', uploadId, parts)
  t.same([denied.status, denied.code], [403, 'AccessDenied'])
  t.match(denied.text, 's3:ListMultipartUploadParts', 'the permission that is missing, not a part that is not')
  origin.resetFaults()
  t.same(origin.objects(), [])
  t.equal((await completeUpload(client, 'object', uploadId, parts)).status, 200)
})

t.test('an upstream that answers before it has the body', async (t) => {
  const { client, origin, proxy } = await md5Stand(t)
  const large = randomBytes(8 * 1024 * 1024)
  const uploadId = await createUpload(client, 'parts')
  for (const [status, code, expected] of [
    [403, 'AccessDenied', 403],
    [503, 'SlowDown', 503],
    [200, 'none', 503],
  ] as const) {
    const body = `<Error><Code>${code}</Code><Message>No</Message></Error>`
    const headers = { etag: shownMD5(large), 'x-amz-checksum-md5': md5Base64(large) }
    origin.faults.intercept = ({ method }) =>
      method === 'PUT' ? { type: 'answer', status, body, headers } : { type: 'proceed' }
    const answer = await put(client, 'early', large).catch((error: unknown) => error as NodeJS.ErrnoException)
    // A client that is still sending may find its connection closed before it reads the answer.
    if ('status' in answer) t.equal(answer.status, expected, `${status} to an object`)
    else t.match(answer.code, /EPIPE|ECONNRESET/)
    t.equal((await proxy.lastEvent())?.status, expected)
    const query = { partNumber: '1', uploadId }
    await put(client, 'parts', large, { query, body: large }).catch(() => undefined)
    t.equal((await proxy.lastEvent())?.status, expected, `${status} to a part`)
  }
  origin.resetFaults()
  t.same(origin.objects(), [])
  t.equal((await put(client, 'early', large)).etag, shownMD5(large), 'and the next one goes well')
})

t.test('an upstream that answers with the MD5 of other bytes', async (t) => {
  const { client, origin, proxy } = await md5Stand(t)
  const wrong = md5Base64('other bytes')
  origin.faults.keepChecksum = () => wrong
  const failed = await put(client, 'lied', BODY)
  t.same([failed.status, failed.answer.code], [500, 'InternalError'])
  t.match(failed.answer.text, 'MD5 of other bytes')
  const event = await proxy.lastEvent()
  t.match(event, { outcome: 'upstream-failed', reason: /another x-amz-checksum-md5/ })
  t.equal(
    await etagOf(client, 'lied'),
    shownMD5('other bytes'),
    'reads say what the upstream says: who compares finds out',
  )
  const uploadId = await createUpload(client, 'parts')
  t.equal((await uploadPart(client, 'parts', uploadId, 1, BODY)).status, 500)
})

t.test('an upstream that has stopped keeping MD5s', async (t) => {
  const { client, origin } = await md5Stand(t)
  origin.faults.ignoreChecksums = true
  const written = await put(client, 'object', BODY)
  t.match(written.etag, /^"[0-9a-f]{32}-0"$/, 'what was not stored is not shown')
  t.equal(await etagOf(client, 'object'), written.etag)
  const withHeader = await put(client, 'object', BODY, { headers: { 'content-md5': md5Base64(BODY) } })
  t.match(withHeader.etag, /^"[0-9a-f]{32}-0"$/)
  const uploadId = await createUpload(client, 'parts')
  const part = await uploadPart(client, 'parts', uploadId, 1, BODY)
  t.match(part.etag, /^"[0-9a-f]{32}-0"$/)
  const done = await completeUpload(client, 'parts', uploadId, [{ partNumber: 1, etag: part.etag }])
  t.equal(done.status, 200, done.text)
  t.match(await etagOf(client, 'parts'), /^"[0-9a-f]{32}-1"$/)
  t.equal(sha256((await s3(client, 'GET', pathOf('bucket', 'parts'))).body), sha256(BODY))
})

t.test('an object that changes between the question and the answer', async (t) => {
  const { client, origin, another, direct } = await md5Stand(t)
  await put(client, 'object', 'first')
  const fresh = await another()
  let changes = 0
  origin.faults.intercept = async ({ method, fields }) => {
    if (method === 'GET' && fields.has('range') && changes < 1) {
      changes += 1
      await put(client, 'object', 'second')
    }
    return { type: 'proceed' }
  }
  const got = await s3(fresh, 'GET', pathOf('bucket', 'object'), { headers: { range: 'bytes=0-5' } })
  t.same([got.headers.etag, got.body.toString()], [shownMD5('second'), 'second'], 'the ETag is that of the bytes')
  origin.faults.intercept = async ({ method, fields }) => {
    if (method === 'GET' && fields.has('range')) await put(client, 'object', `again ${(changes += 1)}`)
    return { type: 'proceed' }
  }
  const restless = await s3(fresh, 'GET', pathOf('bucket', 'object'), { headers: { range: 'bytes=0-4' } })
  t.match(restless.headers.etag, /-0"$/, 'and the opaque form where there is no end to it')
  t.equal(restless.status, 206)
  origin.faults.intercept = async ({ method, fields }) => {
    if (method === 'PUT' && fields.has('if-match')) {
      origin.resetFaults()
      await put(client, 'object', 'theirs')
    }
    return { type: 'proceed' }
  }
  await put(client, 'object', 'mine')
  const late = await put(fresh, 'object', 'next', { headers: { 'if-match': shownMD5('mine') } })
  t.equal(late.status, 412, 'the upstream decides, not what was asked before')
  t.equal((await s3(direct, 'GET', pathOf('bucket', 'object'))).status, 400)
  t.equal(await etagOf(client, 'object'), shownMD5('theirs'))
})
