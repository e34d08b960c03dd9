import { randomBytes } from 'node:crypto'
import t from 'tap'
import { READER, encryptedRule } from '../../support/proxy-in-process.js'
import { pathOf, s3, type S3Side } from '../../support/s3-client.js'
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

const OTHER = `"${'0'.repeat(32)}"`

/** Every way in which a client may name this ETag. */
const spellings = (etag: string): readonly string[] => [
  etag,
  etag.replaceAll('"', ''),
  etag.toUpperCase(),
  `W/${etag}`,
  `${OTHER}, ${etag}`,
  `${etag},${OTHER}`,
  ` ${OTHER} , W/${etag} `,
]

t.test('conditions of reads: P, R, R-0, lists, W/ and *', async (t) => {
  const { client, direct, another } = await md5Stand(t)
  const body = randomBytes(500)
  const { etag } = await put(client, 'object', body)
  const opaque = await another({ rules: [{ ...md5Rule, etag: 'opaque' }] })
  const marked = await etagOf(opaque, 'object')
  const raw = marked.replace('-0', '')
  t.match(marked, /-0"$/)
  const fresh = await another()
  const ask = (method: string, headers: Record<string, string>) =>
    s3(fresh, method, pathOf('bucket', 'object'), { headers })
  for (const one of [etag, marked, raw]) {
    for (const value of spellings(one)) {
      // S3's own ETags have small letters; whatever names one in capitals was never shown.
      if (one !== etag && value !== value.toLowerCase().replace('w/', 'W/')) continue
      for (const method of ['GET', 'HEAD']) {
        t.equal((await ask(method, { 'if-match': value })).status, 200, `${method} If-Match: ${value}`)
        const unless = await ask(method, { 'if-none-match': value })
        t.same([unless.status, unless.headers.etag], [304, etag], `${method} If-None-Match: ${value}`)
      }
    }
  }
  for (const value of [
    OTHER,
    `"${'0'.repeat(32)}-3"`,
    shownMD5('other'),
    `${etag.slice(0, -1)}-0"`,
    `${etag.slice(0, -1)}-1"`,
    '"short"',
    '',
  ]) {
    if (value !== '') t.equal((await ask('GET', { 'if-match': value })).status, 412, `If-Match: ${value}`)
    const unless = await ask('GET', { 'if-none-match': value })
    t.same([unless.status, unless.headers.etag], [200, etag], `If-None-Match: ${value}`)
  }
  t.equal((await ask('GET', { 'if-match': '*' })).status, 200)
  t.equal((await ask('GET', { 'if-none-match': '*' })).status, 304)
  const range = { range: 'bytes=0-9' }
  for (const [value, status] of [
    [etag, 206],
    [marked, 206],
    [OTHER, 412],
  ] as const) {
    t.equal((await ask('GET', { ...range, 'if-match': value })).status, status, `a range, If-Match: ${value}`)
  }
  const since = new Date(Date.now() + 1000).toUTCString()
  const unchanged = await ask('GET', { 'if-modified-since': since })
  t.same([unchanged.status, unchanged.headers.etag], [304, etag], 'a 304 without an ETag in the question')
  t.equal((await s3(direct, 'HEAD', pathOf('bucket', 'object'))).status, 400)
})

t.test('conditions of writes and deletes, on objects of odd names, under an older key, after a rotation', async (t) => {
  const { client, another } = await md5Stand(t)
  for (const objectKey of ODD_KEYS) await put(client, objectKey, 'first')
  const rotated = await another({}, 'v1', 'v2')
  for (const objectKey of ODD_KEYS) {
    const name = objectKey.slice(0, 30)
    const write = (headers: Record<string, string>, body: string) => put(rotated, objectKey, body, { headers })
    t.equal((await write({ 'if-match': shownMD5('other') }, 'second')).status, 412, `${name}: another MD5`)
    t.equal((await write({ 'if-match': shownMD5('first') }, 'second')).status, 200, `${name}: its MD5`)
    t.equal((await write({ 'if-match': shownMD5('first') }, 'third')).status, 412, `${name}: its former MD5`)
    t.equal((await write({ 'if-none-match': '*' }, 'third')).status, 412, `${name}: anything`)
    t.equal(await etagOf(rotated, objectKey), shownMD5('second'))
  }
  t.equal((await put(rotated, 'new', 'first', { headers: { 'if-match': shownMD5('first') } })).answer.code, 'NoSuchKey')
  t.equal((await put(rotated, 'new', 'first', { headers: { 'if-none-match': '*' } })).status, 200)
  const remove = (etag: string) => s3(rotated, 'DELETE', pathOf('bucket', 'new'), { headers: { 'if-match': etag } })
  t.equal((await remove(shownMD5('other'))).status, 412)
  t.equal(await etagOf(rotated, 'new'), shownMD5('first'))
  t.equal((await remove(shownMD5('first'))).status, 204)
})

t.test('completion of an upload on condition of what it replaces', async (t) => {
  const { client, another } = await md5Stand(t)
  await put(client, 'object', 'first')
  const fresh = await another({}, 'v1', 'v2')
  const part = randomBytes(10)
  const uploadId = await createUpload(fresh, 'object')
  const { etag } = await uploadPart(fresh, 'object', uploadId, 1, part)
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
  const complete = (value: string) =>
    s3(fresh, 'POST', pathOf('bucket', 'object'), { query: { uploadId }, body, headers: { 'if-match': value } })
  t.equal((await complete(shownMD5('other'))).status, 412)
  const done = await complete(shownMD5('first'))
  t.same([done.status, elementOf(done.text, 'ETag')], [200, shownMD5Of([part])], done.text)
  t.equal(
    (await put(fresh, 'object', 'next', { headers: { 'if-match': shownMD5Of([part]) } })).status,
    200,
    'an ETag of parts',
  )
})

t.test('batch deletes by ETag', async (t) => {
  const { client, another } = await md5Stand(t)
  const keys = ['a', 'b', 'c', 'd & e', 'f']
  for (const objectKey of keys) await put(client, objectKey, `content of ${objectKey}`)
  const fresh = await another()
  const named: Record<string, string> = {
    a: shownMD5('content of a').replaceAll('"', '&quot;'),
    b: shownMD5('content of a').replaceAll('"', ''),
    c: shownMD5('content of c').replaceAll('"', ''),
    'd &amp; e': shownMD5('content of d & e'),
  }
  const entries = Object.entries(named).map(
    ([objectKey, etag]) => `<Object><Key>${objectKey}</Key><ETag>${etag}</ETag></Object>`,
  )
  const body = `<Delete>${entries.join('')}<Object><Key>f</Key></Object></Delete>`
  const { createHash } = await import('node:crypto')
  const answer = await s3(fresh, 'POST', '/bucket', {
    query: { delete: '' },
    body,
    headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
  })
  t.equal(answer.status, 200, answer.text)
  const left = await s3(client, 'GET', '/bucket')
  t.same(
    [...left.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, objectKey]) => objectKey),
    ['b'],
    answer.text,
  )
})

t.test('objects with MD5s and without, in one bucket', async (t) => {
  const { client, another } = await md5Stand(t)
  const opaque = await another({ rules: [{ ...md5Rule, etag: 'opaque' }] })
  const without = await put(opaque, 'without', 'abc')
  await put(client, 'with', 'abc')
  t.equal(await etagOf(client, 'without'), without.etag, 'the opaque form')
  t.equal(await etagOf(client, 'without', { headers: { range: 'bytes=0-1' } }, 'GET'), without.etag)
  const at = pathOf('bucket', 'without')
  for (const [value, status] of [
    [without.etag, 200],
    [without.etag.replace('-0', ''), 200],
    [shownMD5('abc'), 412],
  ] as const) {
    t.equal((await s3(client, 'GET', at, { headers: { 'if-match': value } })).status, status, value)
  }
  const copied = await s3(client, 'PUT', at, { headers: { 'x-amz-copy-source': '/bucket/without' } })
  t.equal(elementOf(copied.text, 'ETag'), shownMD5('abc'), 'a copy onto itself gives it one')
  t.equal(await etagOf(client, 'without'), shownMD5('abc'))
})

t.test('objects in the clear, beside encrypted ones', async (t) => {
  const rules = [
    md5Rule,
    {
      bucket: 'bucket',
      prefix: 'clear/',
      keys: { type: 'plain' as const, clientKeys: 'reject' as const },
      etag: 'opaque' as const,
    },
  ]
  const { client, another } = await md5Stand(t, { rules })
  t.equal((await put(client, 'clear/object', 'abc')).etag, shownMD5('abc'))
  const fresh = await another()
  t.equal(await etagOf(fresh, 'clear/object', { headers: { range: 'bytes=0-1' } }, 'GET'), shownMD5('abc'))
  t.equal((await put(fresh, 'clear/object', 'def', { headers: { 'if-match': shownMD5('abc') } })).status, 200)
  const parts = [Buffer.from('one'), Buffer.from('two')]
  const uploadId = await createUpload(client, 'clear/parts')
  const sent = []
  for (const [i, part] of parts.entries()) {
    const { etag } = await uploadPart(fresh, 'clear/parts', uploadId, i + 1, part)
    t.equal(etag, shownMD5(part))
    sent.push({ partNumber: i + 1, etag })
  }
  const done = await completeUpload(fresh, 'clear/parts', uploadId, sent)
  t.equal(elementOf(done.text, 'ETag'), shownMD5Of(parts), done.text)
  t.equal(await etagOf(client, 'clear/parts'), shownMD5Of(parts))
})

t.test('plain objects that the rule lets through: what they carry is shown, whoever looks first', async (t) => {
  const rules = [{ ...md5Rule, keys: { ...md5Rule.keys, plaintext: 'allow' as const } } as typeof md5Rule]
  const { client, direct, another } = await md5Stand(t, { rules })
  await put(direct, 'without', 'abc')
  await put(direct, 'with', 'abc', { headers: { 'x-amz-checksum-md5': md5Base64('abc') } })
  const raw = await etagOf(direct, 'without')
  const marked = raw.replace(/"$/, '-0"')
  for (const side of [client, await another(), await another({}, 'v1', 'v2')]) {
    for (const [objectKey, shown] of [
      ['without', marked],
      ['with', shownMD5('abc')],
    ] as const) {
      const range = { range: 'bytes=0-1' }
      t.equal(await etagOf(side, objectKey, { headers: range }, 'GET'), shown, `a range, ${objectKey}`)
      t.equal(await etagOf(side, objectKey, { query: { partNumber: '1' } }, 'GET'), shown, `a part, ${objectKey}`)
      t.equal(await etagOf(side, objectKey, {}, 'GET'), shown, objectKey)
      t.equal(await etagOf(side, objectKey, { headers: range }, 'GET'), shown, `a range, ${objectKey}`)
      const unless = await s3(side, 'GET', pathOf('bucket', objectKey), { headers: { 'if-none-match': shown } })
      t.same([unless.status, unless.headers.etag], [304, shown], `304, ${objectKey}`)
    }
  }
  const written = await put(client, 'without', 'abc', { headers: { 'if-match': marked } })
  t.same([written.status, written.etag], [200, shownMD5('abc')], 'it is encrypted, and carries its MD5 now')
  t.equal(await etagOf(await another(), 'without', { headers: { range: 'bytes=0-1' } }, 'GET'), shownMD5('abc'))
})

t.test('two identities: what one has seen tells the other nothing that it may not read', async (t) => {
  const grants = [{ bucket: 'bucket', prefixes: ['open/'], permissions: ['read', 'write'] as const }]
  const { client, proxy } = await md5Stand(t, { readerGrants: grants })
  const reader: S3Side = { ...client, ...READER }
  await put(client, 'secret', 'content')
  t.equal(await etagOf(client, 'secret', { headers: { range: 'bytes=0-1' } }, 'GET'), shownMD5('content'))
  for (const etag of [shownMD5('content'), shownMD5('other')]) {
    const copy = { 'x-amz-copy-source': '/bucket/secret', 'x-amz-copy-source-if-match': etag }
    for (const answer of [
      await s3(reader, 'GET', pathOf('bucket', 'secret'), { headers: { range: 'bytes=0-1', 'if-match': etag } }),
      await s3(reader, 'HEAD', pathOf('bucket', 'secret'), { headers: { 'if-none-match': etag } }),
      await s3(reader, 'PUT', pathOf('bucket', 'open/copy'), { headers: copy }),
    ]) {
      t.same([answer.status, answer.headers.etag], [403, undefined], etag)
    }
    t.equal((await proxy.lastEvent())?.attempts, 0, 'nothing was asked')
  }
})

t.test('who may write and not read does not find out MD5s', async (t) => {
  const grants = [{ bucket: 'bucket', prefixes: [''], permissions: ['write', 'delete'] as const }]
  const { client, proxy } = await md5Stand(t, { readerGrants: grants })
  const writer: S3Side = { ...client, ...READER }
  await put(client, 'secret', 'yes')
  for (const guess of ['yes', 'no']) {
    const tried = await put(writer, 'secret', 'next', { headers: { 'if-match': shownMD5(guess) } })
    t.equal(tried.status, 412, guess)
    t.equal((await proxy.lastEvent())?.attempts, 1, 'nothing was asked')
  }
  const written = await put(writer, 'secret', 'mine')
  t.equal(written.etag, shownMD5('mine'), 'of what it wrote it may know it')
})

t.test('a copy between buckets of different policies', async (t) => {
  const { client } = await md5Stand(t, { rules: [md5Rule, encryptedRule('opaque', 'main')] })
  await put(client, 'object', 'abc')
  const copy = (from: string, to: string, headers: Record<string, string> = {}) =>
    s3(client, 'PUT', to, { headers: { 'x-amz-copy-source': from, ...headers } })
  const out = await copy('/bucket/object', '/opaque/object', { 'x-amz-copy-source-if-match': shownMD5('abc') })
  t.match(elementOf(out.text, 'ETag'), /^"[0-9a-f]{32}-0"$/, out.text)
  const marked = elementOf(out.text, 'ETag')
  t.equal((await copy('/opaque/object', '/bucket/back', { 'x-amz-copy-source-if-match': shownMD5('abc') })).status, 412)
  const back = await copy('/opaque/object', '/bucket/back', { 'x-amz-copy-source-if-match': marked })
  t.equal(elementOf(back.text, 'ETag'), shownMD5('abc'), back.text)
})
