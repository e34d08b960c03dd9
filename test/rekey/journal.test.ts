import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { altering, nameOf, startStand, sums } from './stand.js'

const NAMES = Array.from({ length: 30 }, (_, i) => `${String(i).padStart(2, '0')} é\n`)

t.test('a run that was killed goes on where it was, whatever the kill left of the last line', async (t) => {
  const stand = await startStand(t)
  for (const name of NAMES) await stand.store(name, 'v1')
  await stand.store('locked', 'o1')
  const copies: string[] = []
  const counted = altering(stand.access(), (request) => {
    if (request.headers['x-amz-copy-source'] !== undefined && !nameOf(request).includes('probe')) {
      copies.push(nameOf(request))
      // as a kill: nothing is told to the journal any more
      if (copies.length === 12) throw new Error('killed')
    }
    return request
  })
  const options = { concurrency: 1 }
  await t.rejects(stand.run(options, {}, stand.journal(), counted), { message: 'killed' })
  const file = join(stand.folder, 'journal')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const whole = readFileSync(file)
  t.equal(whole.toString().split('\n').length, 13, 'the subject, and a line for each of 11 objects')
  for (const cut of [0, 1, 40]) {
    writeFileSync(file, whole)
    truncateSync(file, whole.length - cut)
    const journal = stand.journal()
    t.equal(journal.before.counts.moved, cut === 0 ? 11 : 10)
    t.equal(readFileSync(file).at(-1), 0x0a, 'what was cut off is gone')
    journal.close()
  }
  copies.length = 0
  const result = await stand.run(options, {}, stand.journal(), stand.access())
  t.strictSame(sums(result), { listed: 31, moved: 31 - 1, already: 1 }, 'one was moved and not told')
  for (const name of NAMES) t.equal((await stand.read(name, 'v2')).body.toString(), name)
  t.strictSame(
    sums(await stand.run(options, {}, stand.journal(), stand.access())),
    { listed: 31, already: 31 },
    'a new run',
  )
})

t.test('what failed gets a second chance, and nothing else is looked at again', async (t) => {
  const stand = await startStand(t)
  for (const name of NAMES) await stand.store(name, 'v1')
  const refusing = altering(stand.access(), (request) =>
    nameOf(request).startsWith('07')
      ? { ...request, headers: { ...request.headers, 'x-amz-storage-class': 'MADE-UP' } }
      : request,
  )
  const first = await stand.run({}, {}, stand.journal(), refusing)
  t.strictSame(sums(first), { listed: 30, moved: 29, failed: 1 })
  const access = stand.access()
  const second = await stand.run({}, {}, stand.journal(), access)
  t.strictSame(sums(second), { listed: 30, moved: 30 })
  t.ok(access.sent() < 20, `${access.sent()} requests: no list, no HEAD of what was moved`)
  t.equal((await stand.read(NAMES[7]!, 'v2')).body.toString(), NAMES[7])
})

t.test('an end is asked for: what has begun is finished, and the rest stays for the next run', async (t) => {
  const stand = await startStand(t)
  for (const name of NAMES) await stand.store(name, 'v1')
  let done = 0
  const progress = { total: () => undefined, done: () => void (done += 1) }
  const world = { progress, isStopping: () => done >= 5 }
  const first = await stand.run({ concurrency: 3 }, world, stand.journal())
  t.equal(first.end, 'interrupted')
  t.ok(first.counts.moved >= 5 && first.counts.moved <= 8, `${first.counts.moved} moved`)
  const second = await stand.run({ concurrency: 3 }, {}, stand.journal())
  t.strictSame(sums(second), { listed: 30, moved: 30 })
})

t.test('a copy in parts goes on with its upload, or begins anew where the object has changed', async (t) => {
  const stand = await startStand(t)
  const text = Array.from({ length: 300 }, (_, i) => `${i} `.padStart(10)).join('')
  for (const name of ['same', 'other']) await stand.store(name, 'v1', text, { 'x-amz-checksum-crc32': crcOf(text) })
  let parts = 0
  const isPart = (query: ReadonlyMap<string, string>) => query.has('partNumber')
  const stopping = altering(stand.access(), (request) => {
    if (isPart(request.query) && !nameOf(request).includes('probe')) parts += 1
    return request
  })
  const options = { concurrency: 1, partSize: 400 }
  const first = await stand.run(options, { isStopping: () => parts >= 3 }, stand.journal(), stopping)
  t.equal(first.end, 'interrupted')
  t.strictSame(
    stand.origin.uploads().map(({ objectKey, parts: made }) => [objectKey, made]),
    [['other', 3]],
  )
  parts = 0
  const second = await stand.run(options, {}, stand.journal(), stopping)
  t.strictSame(sums(second), { listed: 2, moved: 2 })
  t.equal(parts, 8 - 3 + 8, 'the three that were there are not copied again')
  for (const name of ['same', 'other']) t.equal((await stand.read(name, 'v2')).body.toString(), text)

  await stand.store('same', 'v1', text)
  await stand.store('other', 'v2', 'x')
  parts = 0
  await stand.run(options, { isStopping: () => parts >= 3 }, stand.journal('second'), stopping)
  await stand.store('same', 'v1', text.toUpperCase().replaceAll(' ', '-'))
  t.equal(stand.origin.uploads().length, 1)
  t.strictSame(sums(await stand.run(options, {}, stand.journal('second'))), { listed: 2, moved: 1, already: 1 })
  t.equal((await stand.read('same', 'v2')).body.toString(), text.toUpperCase().replaceAll(' ', '-'))
  t.strictSame(stand.origin.uploads(), [])

  await stand.store('same', 'v1', text)
  parts = 0
  await stand.run(options, { isStopping: () => parts >= 3 }, stand.journal('third'), stopping)
  await stand.call('DELETE', 'same')
  await stand.run(options, {}, stand.journal('third'))
  t.strictSame(stand.origin.uploads(), [], 'nobody would have gone on with it')
})

t.test('tags that a client changes between two runs, or while parts are copied, are those of the copy', async (t) => {
  const stand = await startStand(t)
  const text = 'x'.repeat(3000)
  const tag = async (name: string, value: string) => {
    const body = `<Tagging><TagSet><Tag><Key>state</Key><Value>${value}</Value></Tag></TagSet></Tagging>`
    const answer = await stand.call('PUT', name, { query: { tagging: '' }, body })
    t.equal(answer.status, 200, answer.text)
  }
  for (const name of ['killed', 'meanwhile']) await stand.store(name, 'v1', text, { 'x-amz-tagging': 'state=old' })
  let parts = 0
  let isTagged = false
  const access = altering(stand.access(), async (request) => {
    if (!request.query.has('partNumber') || nameOf(request).includes('probe')) return request
    parts += 1
    if (nameOf(request) === 'meanwhile' && !isTagged) {
      isTagged = true
      await tag('meanwhile', 'new')
    }
    return request
  })
  const options = { concurrency: 1, partSize: 400 }
  const first = await stand.run(options, { isStopping: () => parts >= 3 }, stand.journal(), access)
  t.equal(first.end, 'interrupted')
  await tag('killed', 'new')
  t.strictSame(sums(await stand.run(options, {}, stand.journal(), access)), { listed: 2, moved: 2 })
  for (const name of ['killed', 'meanwhile']) {
    t.match((await stand.call('GET', name, { query: { tagging: '' } })).text, '<Value>new</Value>', name)
    t.equal((await stand.read(name, 'v2')).body.toString(), text)
  }
  t.strictSame(stand.origin.uploads(), [])
})

t.test('a journal of something else, or a damaged one, is refused', async (t) => {
  const stand = await startStand(t)
  stand.journal().close()
  stand.journal('journal', { prefix: 'b/' }).close()
  const begun = stand.journal()
  begun.outcome(1, 'a', { type: 'already' })
  begun.close()
  const file = join(stand.folder, 'journal')
  for (const [more, what] of [
    [{ command: 'encrypt' }, 'command "rekey" instead of "encrypt"'],
    [{ prefix: 'a/' }, 'prefix "" instead of "a/"'],
    [{ targets: ['main v3'] }, 'targets ["main v2"] instead of ["main v3"]'],
    [{ upstream: 'elsewhere:443' }, 'upstream'],
  ] as const) {
    t.throws(() => stand.journal('journal', more), { message: new RegExp(escaped(what)) })
  }
  const { length } = readFileSync(file)
  for (const line of [
    '{"type":"object","page":1}',
    'x',
    '{"type":"object","page":1,"key":"a","outcome":{"type":"gone"}}',
  ]) {
    truncateSync(file, length)
    appendFileSync(file, `${line}\n`)
    t.throws(() => stand.journal(), { message: /line 3 is damaged; remove the journal to begin again/ }, line)
  }
  writeFileSync(file, 'my diary')
  t.throws(() => stand.journal(), { message: /is not a journal; name another with --journal/ })
  t.equal(readFileSync(file, 'utf8'), 'my diary', 'and stays what it is')
  t.throws(() => stand.journal('no/such/folder'), { message: /the journal cannot be used \(ENOENT\)/ })
})

const escaped = (text: string): string => text.replace(/[[\]"]/g, '\\$&')

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return bytes.toString('base64')
}
