import { crc32 } from 'node:zlib'
import { createHash } from 'node:crypto'
import t from 'tap'
import type { MaintenanceRequest } from '../../src/maintenance/access.js'
import { findRemains } from '../../src/rekey/remains.js'
import { encryptedRule } from '../support/proxy-in-process.js'
import { altering, bucket, nameOf, startStand, sums, without } from './stand.js'

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
  'q?versionId=1',
]
const DESCRIBED = {
  'cache-control': 'no-store',
  'content-disposition': 'attachment; filename="a b.txt"',
  'content-encoding': 'gzip',
  'content-language': 'de',
  'content-type': 'text/x-test',
  expires: 'Wed, 25 Nov 2037 02:00:00 GMT',
  'x-amz-meta-owner': 'somebody',
  'x-amz-meta-word': '=?UTF-8?B?w6k=?=',
  'x-amz-storage-class': 'STANDARD_IA',
  'x-amz-website-redirect-location': '/elsewhere',
  'x-amz-tagging': 'a=1&b%20c=2%2B3',
}
const MEND = 'The journal tells what it was: mend it and run this again, or remove the journal if it is good as it is'
const shown = Object.entries(DESCRIBED).filter(([name]) => name !== 'x-amz-tagging')

/** As a store sees a copy that takes no notice of the key of its target. */
function withoutTargetKey(request: MaintenanceRequest): MaintenanceRequest {
  if (request.headers['x-amz-copy-source'] === undefined) return request
  return without(request, (name) => name.startsWith('x-amz-server-side-'))
}

t.test('every object is moved as it is, once, and the sum adds up', async (t) => {
  const stand = await startStand(t)
  for (const objectKey of ODD) await stand.store(objectKey, 'v1')
  await stand.store('described', 'v1', 'text', DESCRIBED)
  await stand.store('large', 'v1', 'x'.repeat(1500), {
    ...DESCRIBED,
    'x-amz-checksum-sha256': createHash('sha256').update('x'.repeat(1500)).digest('base64'),
  })
  await stand.store('large with a CRC', 'v1', 'x'.repeat(1500), {
    'x-amz-checksum-crc32': Buffer.from(crc32('x'.repeat(1500)).toString(16).padStart(8, '0'), 'hex').toString(
      'base64',
    ),
  })
  const sum = (await stand.read('large with a CRC', 'v1')).headers['x-amz-checksum-crc32']
  await stand.store('empty', 'v1', '')
  await stand.store('from another keyring', 'o1')
  await stand.store('new', 'v2')
  await stand.store('clear', 'plain')
  const moved = ODD.length + 5
  const dry = await stand.run({ dryRun: true })
  t.strictSame(sums(dry), { listed: moved + 2, moved, already: 1, plain: 1 })
  t.equal((await stand.read('described', 'v2')).status, 403, 'a dry run moves nothing')

  const result = await stand.run()
  t.strictSame(result.failures, new Map())
  t.strictSame(sums(result), { listed: moved + 2, moved, already: 1, plain: 1 })
  t.equal(result.end, 'done')
  for (const objectKey of [...ODD, 'from another keyring']) {
    t.equal((await stand.read(objectKey, 'v2')).body.toString(), objectKey)
    t.equal((await stand.read(objectKey, 'v1')).status, 403, 'the older key does not open it any more')
  }
  t.equal((await stand.read('empty', 'v2')).body.length, 0)
  for (const objectKey of ['described', 'large']) {
    const now = await stand.read(objectKey, 'v2')
    for (const [name, value] of shown) t.equal(now.headers[name], value, `${objectKey} ${name}`)
    const tags = await stand.call('GET', objectKey, { query: { tagging: '' } })
    t.match(tags.text, '<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b c</Key><Value>2+3</Value></Tag>')
  }
  const large = await stand.read('large', 'v2')
  t.equal(large.body.toString(), 'x'.repeat(1500))
  t.match(large.headers['x-amz-checksum-sha256'], /-4$/, 'its checksum is of the same kind, of four parts')
  t.equal((await stand.read('large with a CRC', 'v2')).headers['x-amz-checksum-crc32'], sum, 'the same checksum')
  t.type(sum, 'string')
  t.equal((await stand.read('clear', 'plain')).body.toString(), 'clear')
  t.strictSame(stand.origin.uploads(), [])
  t.notOk(
    stand.origin.objects().some(({ objectKey }) => objectKey.includes('probe')),
    'the probe is gone',
  )
  t.strictSame(sums(await stand.run()), { listed: moved + 2, already: moved + 1, plain: 1 })
})

t.test('encrypt takes what is plain, whatever the rule lets clients read, and leaves what is encrypted', async (t) => {
  const stand = await startStand(t, [
    encryptedRule('bucket', 'main'),
    { bucket: 'bucket', prefix: 'open/', keys: { type: 'plain', clientKeys: 'reject' }, etag: 'opaque' },
    { ...encryptedRule('bucket', 'main', { clientKeys: 'relay' }), prefix: 'relayed/' },
  ])
  for (const objectKey of ODD) await stand.store(objectKey, 'plain')
  await stand.store('large', 'plain', 'y'.repeat(1500), DESCRIBED)
  await stand.store('old', 'v1')
  await stand.store('open/a', 'plain')
  await stand.store('relayed/theirs', 'o1')
  const result = await stand.run({ command: 'encrypt' })
  t.strictSame(sums(result), {
    listed: ODD.length + 4,
    moved: ODD.length + 1,
    already: 1,
    'plain-rule': 1,
    'client-key': 1,
  })
  for (const objectKey of ODD) t.equal((await stand.read(objectKey, 'v2')).body.toString(), objectKey)
  t.equal((await stand.read('large', 'v2')).headers['content-disposition'], DESCRIBED['content-disposition'])
  t.equal((await stand.read('old', 'v1')).status, 200)
  t.equal((await stand.read('open/a', 'plain')).status, 200)
  await t.rejects(stand.run({ command: 'encrypt', prefix: 'open/' }), { message: /its rule says `keyring: none`/ })
})

t.test('what a client writes, deletes or locks meanwhile stands', async (t) => {
  const stand = await startStand(t)
  for (const objectKey of ['deleted', 'rewritten', 'rewritten large', 'rewritten with an old key', 'untouched']) {
    await stand.store(objectKey, 'v1', objectKey.includes('large') ? 'x'.repeat(1500) : objectKey)
  }
  await stand.store('lost', 'o1', 'under nobody’s key')
  const meddled = new Set<string>()
  stand.origin.faults.intercept = async ({ method, target, fields }) => {
    const source = fields.get('x-amz-copy-source')
    const name = decodeURIComponent(/^\/bucket\/([^?]*)/.exec(target)?.[1] ?? '')
    const last = method === 'POST' && target.includes('uploadId=')
    if ((name === 'rewritten large' ? !last : source === undefined) || meddled.has(name)) return { type: 'proceed' }
    meddled.add(name)
    if (name === 'deleted') await stand.call('DELETE', name)
    if (name.startsWith('rewritten')) await stand.store(name, name.includes('old') ? 'v1' : 'v2', 'by a client')
    return { type: 'proceed' }
  }
  const result = await stand.run({ concurrency: 2 }, {}, undefined, stand.access())
  t.strictSame([...result.failures.keys()], [])
  t.strictSame(sums(result), { listed: 6, moved: 3, changed: 3 })
  for (const objectKey of ['rewritten', 'rewritten large', 'rewritten with an old key']) {
    t.equal((await stand.read(objectKey, 'v2')).body.toString(), 'by a client', objectKey)
  }
  t.equal((await stand.read('deleted', 'v2')).status, 404)
  t.strictSame(stand.origin.uploads(), [], 'the copy in parts that came too late is aborted')
})

t.test('objects that nobody can open are named, and a run that only fails ends', async (t) => {
  const stand = await startStand(t, [encryptedRule('*', 'main')])
  for (const name of ['a', 'b', 'c']) await stand.store(name, 'o1')
  await stand.store('d', 'v1')
  const result = await stand.run()
  t.strictSame(sums(result), { listed: 4, moved: 1, failed: 3 })
  t.strictSame(result.failures.get('a'), 'it is encrypted, and no key of its rule opens it')
  const { end } = await stand.run({ maxFailures: 2, concurrency: 1 })
  t.match(end, { stopped: /^2 objects have failed, the last one "b": / })
})

t.test('a store that cannot do it is found out before any object is touched', async (t) => {
  const stand = await startStand(t)
  await stand.store('object', 'v1')
  const isTouched = (target: string) => target.startsWith('/bucket/object')
  const touched: string[] = []
  const answering = async (message: RegExp, change: () => void) => {
    stand.origin.resetFaults()
    touched.length = 0
    change()
    const { intercept } = stand.origin.faults
    stand.origin.faults.intercept = (request) => {
      if (isTouched(request.target)) touched.push(request.method)
      return intercept(request)
    }
    await t.rejects(stand.run(), { name: 'MaintenanceError', message })
    t.strictSame(touched, [])
  }
  const { faults } = stand.origin
  await answering(/cannot copy objects that are under a customer key/, () => {
    faults.intercept = ({ fields }) =>
      fields.has('x-amz-copy-source')
        ? { type: 'answer', status: 501, body: '<Error><Code>NotImplemented</Code></Error>' }
        : { type: 'proceed' }
  })
  await answering(/without a proof of encryption/, () => void (faults.proof = 'none'))
  await answering(/SSE-C is blocked on the bucket/, () => {
    faults.intercept = ({ method }) =>
      method === 'PUT'
        ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
        : { type: 'proceed' }
  })
  stand.origin.resetFaults()
  t.equal((await stand.read('object', 'v1')).body.toString(), 'object')
  const heedless = altering(stand.access(), withoutTargetKey, 'read-back')
  await t.rejects(stand.run({}, {}, undefined, heedless), { message: /a copy would be in the clear/ })
})

t.test('a store that ignores conditions needs a word of the operator', async (t) => {
  const stand = await startStand(t)
  await stand.store('object', 'v1')
  await stand.store('large', 'v1', 'x'.repeat(1500))
  const ignorant = altering(stand.access(), (request) => without(request, (name) => name === 'if-match'))
  await t.rejects(stand.run({}, {}, undefined, ignorant), {
    message: /ignores If-Match on CopyObject.*say --unguarded/s,
  })
  const warnings: string[] = []
  const result = await stand.run(
    { unguarded: true },
    { warn: (message) => warnings.push(message) },
    undefined,
    ignorant,
  )
  t.strictSame(sums(result), { listed: 2, moved: 2 })
  t.strictSame(
    warnings.map((warning) => /on \w+/.exec(warning)?.[0]),
    ['on CopyObject', 'on CompleteMultipartUpload'],
  )
})

t.test('late errors inside a 200, lost answers and a copy that loses something', async (t) => {
  const stand = await startStand(t)
  for (const name of ['late', 'lost answer', 'refused', 'altered']) await stand.store(name, 'v1', name, DESCRIBED)
  const seen = new Map<string, number>()
  stand.origin.faults.intercept = ({ target, fields }) => {
    const name = decodeURIComponent(/^\/bucket\/([^?]*)/.exec(target)?.[1] ?? '')
    if (!fields.has('x-amz-copy-source')) return { type: 'proceed' }
    seen.set(name, (seen.get(name) ?? 0) + 1)
    const error = (code: string) =>
      ({
        type: 'answer',
        status: 200,
        body: `<?xml version="1.0"?>\n   \n<Error><Code>${code}</Code></Error>`,
      }) as const
    if (name === 'late' && seen.get(name) === 1) return error('InternalError')
    if (name === 'refused') return error('AccessDenied')
    return { type: 'proceed' }
  }
  const access = altering(stand.access(), async (request, send) => {
    if (request.headers['x-amz-copy-source'] === undefined) return request
    // the first answer is lost, and the request is sent again: that one meets its own work
    if (nameOf(request) === 'lost answer') await send(request)
    return nameOf(request) === 'altered' ? without(request, (name) => name === 'x-amz-storage-class') : request
  })
  const result = await stand.run({}, {}, undefined, access)
  t.equal(seen.get('late'), 2)
  t.strictSame(sums(result), { listed: 4, moved: 2, failed: 2 })
  t.strictSame(
    result.failures,
    new Map([
      ['altered', `it was copied, and the copy differs in x-amz-storage-class. ${MEND}`],
      ['refused', 'CopyObject: AccessDenied, status 200'],
    ]),
  )
})

t.test('a completion whose answer was lost is looked at, and not told as a failure', async (t) => {
  const stand = await startStand(t)
  await stand.store('large', 'v1', 'x'.repeat(1500))
  let isSent = false
  stand.origin.faults.intercept = ({ method, target }) =>
    isSent && method === 'POST' && target.includes('/large?uploadId=')
      ? { type: 'answer', status: 404, body: '<Error><Code>NoSuchUpload</Code></Error>' }
      : { type: 'proceed' }
  const access = altering(stand.access(), async (request, send) => {
    if (nameOf(request) === 'large' && request.method === 'POST' && request.query.has('uploadId')) {
      await send(request)
      isSent = true
    }
    return request
  })
  const result = await stand.run({}, {}, undefined, access)
  t.strictSame([sums(result), [...result.failures]], [{ listed: 1, moved: 1 }, []])
  t.equal((await stand.read('large', 'v2')).body.toString(), 'x'.repeat(1500))
})

t.test('a copy that comes out plain ends the run, loudly', async (t) => {
  const stand = await startStand(t)
  for (const name of ['a', 'b', 'c']) await stand.store(name, 'v1')
  const access = altering(
    stand.access(),
    (request) => (nameOf(request) === 'a' ? withoutTargetKey(request) : request),
    'read-back',
  )
  const result = await stand.run({}, {}, undefined, access)
  t.match(result.end, { stopped: /^"a": the copy opens without a key: look at this object at once/ })
  t.equal((await stand.read('b', 'v1')).status, 200, 'no other object was begun')
})

t.test('older versions stay, and are told', async (t) => {
  const stand = await startStand(t)
  stand.origin.setVersioning('bucket', 'Enabled')
  await stand.store('object', 'v1', 'one')
  await stand.store('object', 'v1', 'two')
  t.strictSame(sums(await stand.run()), { listed: 1, moved: 1 })
  t.equal((await stand.read('object', 'v2')).body.toString(), 'two')
  await stand.call('POST', 'begun', { query: { uploads: '' } })
  t.strictSame(await findRemains(stand.access(), bucket, '', { versions: true, concurrency: 2 }), {
    versioning: 'Enabled',
    uploads: 1,
    oldVersions: { 'main v1': 2 },
  })
})
