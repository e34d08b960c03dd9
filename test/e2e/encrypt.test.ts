// A bucket in the clear comes under keys while its clients go on; and what a versioned bucket keeps of older versions.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startMinio } from '../support/minio.js'
import { run } from '../support/run-program.js'
import { commandLine, PROGRAM, rotate, type RunningProxy } from '../support/running-proxy.js'
import { sha256 } from '../support/s3-client.js'
import type { S3Server } from '../support/server.js'
import { startEmbedded } from './embedded.js'
import { hashOf } from './keep-alive-client.js'
import { startLoad } from './rekey-load.js'
import { contentOf, describedBy, planned, write } from './rekey-objects.js'
import { openStand } from './rekey-stand.js'
import { masterKeys } from './upstream-view.js'

for (const { name, start, facts } of [
  {
    name: 'origin',
    start: startEmbedded,
    facts: {
      storageClass: 'STANDARD_IA',
      checksumsInParts: true,
      copiesVersions: true,
      more: ['--multipart-above', '8MiB'],
    },
  },
  {
    name: 'minio',
    start: startMinio,
    // It ignores If-Match on CopyObject, so nobody may write under the prefix, and refuses it where parts under a key are to
    // take the place of a plain object; its CopyObject takes any size.
    facts: {
      storageClass: 'REDUCED_REDUNDANCY',
      checksumsInParts: false,
      copiesVersions: false,
      more: ['--unguarded', '--multipart-above', '5TiB'],
    },
  },
]) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    await t.test('versions', (t) => moveVersions(t, started.server, facts))
    await t.test('encrypt', (t) => encryptUnderLoad(t, started.server, facts))
  })
}

const MANAGED = 'x-amz-server-side-encryption: AES256'

interface Facts {
  readonly storageClass: string
  readonly checksumsInParts: boolean
  readonly more: readonly string[]
  /** Whether copies work in buckets with versions. */
  readonly copiesVersions: boolean
}

interface Said {
  readonly code: number | 'killed'
  readonly stderr: string
  readonly told: Readonly<Record<string, unknown>>
}

async function command(name: 'rekey' | 'encrypt', place: string, proxy: RunningProxy, ...args: readonly string[]) {
  const config = ['--config', proxy.configFile, '--json', '--part-size', '5MiB']
  const { code, stdout, stderr } = await run(process.execPath, [PROGRAM, name, place, ...config, ...args])
  return {
    code,
    stderr,
    told: stdout.length === 0 ? {} : (JSON.parse(stdout.toString()) as Said['told']),
  } satisfies Said
}

async function encryptUnderLoad(t: Test, upstream: S3Server, facts: Facts): Promise<void> {
  const bucket = 'clear'
  const { proxy, client, direct, installation } = await openStand(t, upstream, bucket)
  const before = new Map<string, { readonly hash: string; readonly described: string }>()
  for (const plan of planned(500, { prefix: 'old/', ...facts })) {
    if ((await write(direct, bucket, plan)) !== 'written') continue
    const seen = await direct.call('HEAD', bucket, plan.objectKey, { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    const hash = sha256(contentOf(plan.objectKey, plan.bytes))
    before.set(plan.objectKey, { hash, described: describedBy(seen) })
  }
  t.ok(before.size > 490, `${before.size} objects in the clear`)
  const [first = ''] = before.keys()
  const refused = await client.call('GET', bucket, first)
  t.ok([400, 403].includes(refused.status), `the proxy gives out nothing that is in the clear: ${refused.code}`)

  const journal = join(installation.folder, 'journal')
  const dry = await command('encrypt', `s3://${bucket}/old/`, proxy, '--dry-run')
  t.match(dry, { code: 0, told: { dryRun: true, listed: before.size, moved: before.size } })
  const own = Array.from({ length: 10 }, (_, i) => `new/${i}`)
  for (const objectKey of own) await client.call('PUT', bucket, objectKey, { body: 'first' })
  const load = startLoad(client, bucket, { still: new Map([[own[0]!, sha256('first')]]), own: own.slice(1) })
  const args = ['--journal', journal, ...facts.more]
  const encrypted = await command('encrypt', `s3://${bucket}/old/`, proxy, ...args)
  await load.stop()
  t.same(load.errors, [], 'no client saw an error')
  t.match(
    encrypted,
    { code: 0, told: { end: 'done', listed: before.size, moved: before.size, failed: 0 } },
    `${encrypted.stderr}${JSON.stringify(encrypted.told['failures'])}`,
  )
  const again = await command('encrypt', `s3://${bucket}`, proxy, '--journal', `${journal}-2`, ...facts.more)
  t.match(again, { code: 0, told: { moved: 0, failed: 0, skipped: 0 } }, 'nothing is left to do in the whole bucket')

  const wrong: string[] = []
  for (const [objectKey, { hash, described }] of before) {
    const seen = await client.call('GET', bucket, objectKey, { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    const bare = await direct.call('HEAD', bucket, objectKey)
    if (seen.status !== 200 || hashOf(seen) !== hash) wrong.push(`${objectKey}: ${seen.status} ${seen.code}`)
    if (bare.status !== 400) wrong.push(`${objectKey}: HEAD without a key gives ${bare.status}`)
    // S3's own encryption goes, and a store may add a checksum.
    const now = describedBy(seen).split('\n')
    const lost = described.split('\n').filter((line) => !now.includes(line) && line !== MANAGED)
    if (lost.length > 0) wrong.push(`${objectKey} has lost ${lost.join(', ')}`)
  }
  t.same(wrong.slice(0, 5), [], `bytes and metadata are as they were, and encrypted (${wrong.length} are not)`)
  await proxy.stop()
}

async function moveVersions(t: Test, upstream: S3Server, { more, copiesVersions }: Facts): Promise<void> {
  const bucket = 'versioned'
  const { proxy, client, direct, installation } = await openStand(t, upstream, bucket)
  const { keyringFile, folder } = installation
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
  t.equal((await direct.call('PUT', bucket, '', { query: { versioning: '' }, body })).status, 200)
  const names = Array.from({ length: 20 }, (_, i) => `object ${i}`)
  const older: { readonly objectKey: string; readonly versionId: string; readonly text: string }[] = []
  const put = async (objectKey: string, text: string) => {
    const answer = await client.call('PUT', bucket, objectKey, { body: text })
    t.equal(answer.status, 200)
    older.push({ objectKey, versionId: String(answer.headers['x-amz-version-id']), text })
  }
  for (const objectKey of names) for (const text of ['one', 'two']) await put(objectKey, text)
  await put('deleted', 'once')
  t.equal((await client.call('DELETE', bucket, 'deleted')).status, 204)
  const [old = { id: '' }] = masterKeys(keyringFile)
  await rotate(installation)
  const args = ['--versions', '--journal', join(folder, 'journal'), ...more]
  const moved = await command('rekey', `s3://${bucket}`, proxy, ...args)
  if (!copiesVersions) {
    t.match(moved, {
      code: 1,
      stderr: /^ssec-proxy: nobody can open what the upstream makes of a copy.*No object was touched\n$/,
    })
    for (const objectKey of names) t.equal((await client.call('GET', bucket, objectKey)).body.toString(), 'two')
    return proxy.stop()
  }
  const oldVersions = { [`main ${old.id}`]: older.length }
  t.match(
    moved,
    { code: 0, told: { listed: 20, moved: 20, remains: { versioning: 'Enabled', uploads: 0, oldVersions } } },
    moved.stderr,
  )
  for (const objectKey of names) t.equal((await client.call('GET', bucket, objectKey)).body.toString(), 'two')
  for (const { objectKey, versionId, text } of older) {
    const answer = await client.call('GET', bucket, objectKey, { query: { versionId } })
    t.equal(answer.body.toString(), text, 'an older version stays readable')
  }
  const retire = [PROGRAM, 'keys', 'retire', keyringFile, old.id, '--config', proxy.configFile, '--these-are-all']
  const early = await run(process.execPath, retire)
  t.match([early.code, early.stderr], [1, /^41 objects need it:$/m])
  // as a lifecycle rule with NoncurrentVersionExpiration would
  for (const { objectKey, versionId } of older) {
    t.equal((await direct.call('DELETE', bucket, objectKey, { query: { versionId } })).status, 204)
  }
  const late = await run(process.execPath, retire)
  t.equal(late.code, 0, late.stderr)
  const verified = await commandLine([
    ...['keys', 'verify', '--config', proxy.configFile, '--bucket', bucket, '--all', '--json'],
  ])
  t.match(JSON.parse(verified), { looked: 20, locked: 0, keyVersions: [{ objects: 20 }] })
  for (const objectKey of names) t.equal((await client.call('GET', bucket, objectKey)).body.toString(), 'two')
  await proxy.stop()
}
