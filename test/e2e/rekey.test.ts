// The life of a key over ten thousand objects, with the programs as users run them: written through the proxy, rotated,
// moved by `rekey`, which is killed in the middle and goes on, while clients read and write; then the old key is retired.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { forEachBounded } from '../../src/maintenance/bounded.js'
import { startMinio } from '../support/minio.js'
import { registerSecret } from '../support/record.js'
import { plainEnvironment, run } from '../support/run-program.js'
import { commandLine, PROGRAM, rotate, type RunningProxy } from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { sha256 } from '../support/s3-client.js'
import { startEmbedded } from './embedded.js'
import { hashOf, type KeepAliveClient } from './keep-alive-client.js'
import { metricsOf } from './metrics-of.js'
import { contentOf, describedBy, planned, write, type Planned } from './rekey-objects.js'
import { startLoad } from './rekey-load.js'
import { openStand } from './rekey-stand.js'
import { derivedHeaders, masterKeys } from './upstream-view.js'

const Bucket = 'rekeyed'
const OBJECTS = 10_000
const KILLED_AFTER = 2_000
/** Of whatever this test itself does at a time. */
const WIDTH = 24

interface Facts {
  /** Whether the store honours If-Match on CopyObject: where it does not, nobody may write under the prefix. */
  readonly guarded: boolean
  readonly prefix: string
  readonly storageClass: string
  readonly refusesOddKeys: boolean
  /** Whether UploadPartCopy works in uploads with a checksum algorithm. */
  readonly checksumsInParts: boolean
}

for (const { name, start, facts } of [
  {
    name: 'origin',
    start: startEmbedded,
    facts: { guarded: true, prefix: '', storageClass: 'STANDARD_IA', refusesOddKeys: false, checksumsInParts: true },
  },
  {
    name: 'minio',
    start: startMinio,
    facts: {
      guarded: false,
      prefix: 'data/',
      storageClass: 'REDUCED_REDUNDANCY',
      refusesOddKeys: true,
      checksumsInParts: false,
    },
  },
]) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    await rekeyUnderLoad(t, started.server, facts)
  })
}

/** Runs `work` over all of them, several at a time, and tells how long it took. */
async function forAll<T>(t: Test, what: string, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const started = performance.now()
  await forEachBounded(items, WIDTH, work)
  t.comment(`${what}: ${items.length} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

async function rekeyUnderLoad(t: Test, upstream: S3Server, facts: Facts): Promise<void> {
  const { installation, proxy, client, direct } = await openStand(t, upstream, Bucket)
  const { keyringFile, folder } = installation
  const before = await writeAll(t, client, direct, keyringFile, facts)
  const own = Array.from(
    { length: 40 },
    (_, i) => `${facts.guarded ? `small/${String(i * 2).padStart(2, '0')}/` : ''}written by clients ${i}`,
  )
  for (const objectKey of own) t.equal((await client.call('PUT', Bucket, objectKey, { body: 'first' })).status, 200)
  const [old] = masterKeys(keyringFile)
  await rotate(installation)
  const active = masterKeys(keyringFile)[1]!
  await untilKeyVersions(proxy, active.id, 2)

  const journal = join(folder, 'journal')
  const args = ['rekey', `s3://${Bucket}/${facts.prefix}`, '--config', proxy.configFile, '--journal', journal, '--json']
  const sizes = ['--multipart-above', '8MiB', '--part-size', '5MiB']
  if (!facts.guarded) {
    const refused = await run(process.execPath, [PROGRAM, ...args, ...sizes])
    t.equal(refused.code, 1)
    t.match(refused.stderr, /ignores If-Match on CopyObject.*No object was touched\. Stop all writes.*--unguarded/)
  }
  const still = new Map([...before].map(([objectKey, { sha256: hash }]) => [objectKey, hash]))
  const load = startLoad(client, Bucket, { still, own })
  const whole = [PROGRAM, ...args, ...sizes, ...(facts.guarded ? [] : ['--unguarded'])]
  await killInTheMiddle(t, whole, journal)
  const outcomes = outcomesIn(journal).length
  t.ok(outcomes >= KILLED_AFTER && outcomes < still.size, `${outcomes} objects have an outcome when it is killed`)

  const retire = [PROGRAM, 'keys', 'retire', keyringFile, old!.id, '--config', proxy.configFile, '--these-are-all']
  const early = await run(process.execPath, retire)
  t.notMatch(early.stderr, /Warning/)
  t.equal(early.code, 1, 'the old key version cannot be retired half-way')
  t.match(early.stderr, /^\d+ objects need it:\n {2}s3:\/\/rekeyed\/ ".*^nothing was changed\n$/ms)
  const needing = Number(/^(\d+) objects need it/m.exec(early.stderr)?.[1])
  t.ok(needing > 0 && needing <= still.size + own.length - KILLED_AFTER, `${needing} objects need it still`)

  const resumed = await run(process.execPath, whole, { timeoutMs: 600_000 })
  t.notMatch(resumed.stderr, /Warning/)
  t.equal(resumed.code, 0, resumed.stderr)
  t.match(resumed.stderr, /going on from .*journal: \d+ objects, 0 failed\n/)
  await load.stop()
  t.same(load.errors, [], 'no client saw an error')
  t.comment(`${load.done()} requests of clients meanwhile`)
  const summary = JSON.parse(resumed.stdout.toString()) as Summary
  t.comment(resumed.stdout.toString().replaceAll('\n', ' '))
  checkSummary(t, summary, journal, before, own, facts)

  await checkMoved(t, direct, active.key, before, load.state)
  const retired = await run(process.execPath, retire)
  t.equal(retired.code, 0, retired.stderr)
  t.same(
    masterKeys(keyringFile).map(({ id }) => id),
    [active.id],
  )
  t.notOk(readFileSync(keyringFile, 'utf8').includes(old!.key), 'its key is deleted')
  await untilKeyVersions(proxy, active.id, 1)
  await forAll(t, 'read through the proxy, without the old key', [...before], async ([objectKey, object]) => {
    const answer = await client.call('GET', Bucket, objectKey)
    if (answer.status !== 200 || hashOf(answer) !== object.sha256)
      t.fail(`${objectKey}: ${answer.status} ${answer.code}`)
  })
  const verified = JSON.parse(
    await commandLine([
      'keys',
      'verify',
      '--config',
      proxy.configFile,
      '--bucket',
      Bucket,
      '--sample',
      '500',
      '--json',
    ]),
  )
  t.match(verified, { locked: 0, denied: 0, plain: 0, keyVersions: [{ keyVersion: active.id, objects: 500 }] })
  await proxy.stop()
}

interface Before {
  readonly sha256: string
  /** What HEAD says of it. */
  readonly described: string
  readonly tags: string
  readonly planned: Planned
}

/** Through the proxy, and what the store says of them then. */
async function writeAll(
  t: Test,
  client: KeepAliveClient,
  direct: KeepAliveClient,
  keyringFile: string,
  facts: Facts,
): Promise<ReadonlyMap<string, Before>> {
  const written: Planned[] = []
  const refused: string[] = []
  await forAll(t, 'written through the proxy', planned(OBJECTS, facts), async (plan) => {
    const answer = await write(client, Bucket, plan)
    if (answer === 'written') written.push(plan)
    else if (facts.refusesOddKeys) refused.push(`${plan.objectKey.slice(0, 40)}: ${answer.code}`)
    else t.fail(`${plan.objectKey}: ${answer.status} ${answer.text}`)
  })
  if (refused.length > 0) t.comment(`the store itself refuses ${refused.length} names: ${refused.join(', ')}`)
  t.ok(written.length >= OBJECTS - 14, `${written.length} objects are written`)
  const [{ key } = { key: '' }] = masterKeys(keyringFile)
  const before = new Map<string, Before>()
  await forAll(t, 'looked at', written, async (plan) => {
    const seen = await look(direct, key, plan.objectKey, 'HEAD')
    if (seen.status !== 200) t.fail(`${plan.objectKey}: HEAD ${seen.status}`)
    before.set(plan.objectKey, {
      sha256: sha256(contentOf(plan.objectKey, plan.bytes)),
      described: describedBy(seen),
      tags: await tagsOf(direct, plan),
      planned: plan,
    })
  })
  return before
}

const look = (direct: KeepAliveClient, key: string, objectKey: string, method: string) =>
  direct.call(method, Bucket, objectKey, {
    headers: { ...lowerCase(derivedHeaders(key, Bucket, objectKey)), 'x-amz-checksum-mode': 'ENABLED' },
  })

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

async function tagsOf(direct: KeepAliveClient, { objectKey, headers }: Planned): Promise<string> {
  if (headers['x-amz-tagging'] === undefined) return 'none'
  const { text } = await direct.call('GET', Bucket, objectKey, { query: { tagging: '' } })
  const tags = [...text.matchAll(/<Tag>.*?<\/Tag>/gs)].map(([tag]) => tag).sort()
  return tags.length === 2 ? tags.join('') : `not two tags: ${text}`
}

/** Starts the command and kills it, as a machine that loses its power would, once the journal has so many objects. */
async function killInTheMiddle(t: Test, args: readonly string[], journal: string): Promise<void> {
  const child = spawn(process.execPath, args, { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? String(code))))
  const isRunning = () => child.exitCode === null && child.signalCode === null
  while (isRunning() && outcomesIn(journal).length < KILLED_AFTER) await delay(50)
  child.kill('SIGKILL')
  t.equal(await ended, 'SIGKILL', said)
}

interface Line {
  readonly type: string
  readonly key: string
  readonly outcome: { readonly type: string }
}

/** Whole lines of objects. */
function outcomesIn(journal: string): readonly Line[] {
  if (!existsSync(journal)) return []
  const lines = readFileSync(journal, 'utf8').split('\n').slice(1, -1)
  return lines.map((line) => JSON.parse(line) as Line).filter(({ type }) => type === 'object')
}

type Summary = Readonly<Record<string, number>>

function checkSummary(
  t: Test,
  summary: Summary,
  journal: string,
  before: ReadonlyMap<string, Before>,
  own: readonly string[],
  { guarded }: Facts,
): void {
  const { listed = 0, moved = 0, already = 0, changed = 0, skipped = 0, failed = 0 } = summary
  t.equal(moved + already + changed + skipped + failed, listed, 'the summary adds up')
  t.equal(failed, 0)
  t.same(summary['remains'], { versioning: 'none', uploads: 0, oldVersions: 'not looked at' })
  const lines = outcomesIn(journal)
  t.equal(lines.length, listed, 'both runs together')
  t.equal(new Set(lines.map(({ key }) => key)).size, listed, 'and no object twice')
  t.same(
    [...before.keys()].filter((objectKey) => !lines.some(({ key }) => key === objectKey)).slice(0, 3),
    [],
    'no object is left out',
  )
  const count = (wanted: string) => lines.filter(({ outcome }) => outcome.type === wanted).length
  t.same([count('moved'), count('already'), count('changed')], [moved, already, changed])
  // At the kill, up to 16 copies were under way; what clients write is under the new key version by itself.
  const others = guarded ? own.length : 0
  t.ok(listed >= before.size && listed <= before.size + others, `${listed} listed`)
  t.ok(moved >= before.size - 16, `${moved} moved`)
  const { requests = 0, seconds = 0 } = summary
  t.comment(
    `${(requests / (listed - KILLED_AFTER)).toFixed(2)} requests for each object of the second run, ${seconds} s`,
  )
}

/** Every object as it lies in the store, opened with a key worked out by the document for recovery. */
async function checkMoved(
  t: Test,
  direct: KeepAliveClient,
  key: string,
  before: ReadonlyMap<string, Before>,
  written: ReadonlyMap<string, string>,
): Promise<void> {
  registerSecret(
    'data key',
    Buffer.from(derivedHeaders(key, Bucket, 'a')['x-amz-server-side-encryption-customer-key']!, 'base64'),
  )
  const wrong: string[] = []
  await forAll(t, 'read from the store with the new key', [...before], async ([objectKey, object]) => {
    const seen = await look(direct, key, objectKey, 'GET')
    const described = describedBy(seen)
    const tags = await tagsOf(direct, object.planned)
    if (seen.status === 200 && hashOf(seen) === object.sha256 && described === object.described && tags === object.tags)
      return
    wrong.push(`${objectKey}: ${seen.status}, ${tags}\n${described}\nin place of ${object.tags}\n${object.described}`)
  })
  t.same(wrong.slice(0, 3), [], `bytes, metadata and tags are as they were (${wrong.length} are not)`)
  for (const [objectKey, hash] of written) {
    const seen = await look(direct, key, objectKey, 'GET')
    const found = seen.status === 200 ? hashOf(seen) : seen.status === 404 ? 'deleted' : String(seen.status)
    if (found !== hash) t.fail(`${objectKey}: is not what a client wrote last: ${found}`)
  }
  const expected = before.size + [...written.values()].filter((hash) => hash !== 'deleted').length
  let listed = 0
  let token = ''
  do {
    const query = { 'list-type': '2', ...(token === '' ? {} : { 'continuation-token': token }) }
    const { text } = await direct.call('GET', Bucket, '', { query })
    listed += [...text.matchAll(/<Contents>/g)].length
    token = /<NextContinuationToken>([^<]+)</.exec(text)?.[1] ?? ''
  } while (token !== '')
  t.equal(listed, expected, 'nothing else is in the bucket')
}

async function untilKeyVersions(proxy: RunningProxy, active: string, count: number): Promise<void> {
  const end = Date.now() + 60_000
  const isTaken = async (): Promise<boolean> => {
    const text = await metricsOf(proxy)
    const versions = [...text.matchAll(/^ssec_proxy_key_version_info\{.*key_version="([^"]+)",active="(\w+)"\} 1$/gm)]
    return versions.length === count && versions.some(([, id, is]) => id === active && is === 'true')
  }
  while (!(await isTaken())) {
    if (Date.now() > end) throw new Error('the proxy did not take the keyring file in a minute')
    await delay(100)
  }
}
