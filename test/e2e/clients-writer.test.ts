import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { addKeyPair, makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import { rcloneOther } from './clients/all.js'
import { startEmbedded } from './embedded.js'
import { accessFor } from './settings.js'
import { viewOf } from './upstream-view.js'

// rclone asks for its bucket to be created before it uploads. An identity that may not create buckets is told that it owns the
// bucket, which is what rclone needs to go on; anything else would end the upload.
t.test('rclone by an identity that may only read and write in its own bucket', async (t) => {
  const { server, stop, writes } = await startEmbedded()
  t.teardown(stop)
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const writer = addKeyPair(installation.folder, 'writer')
  const proxy = await startProxy(installation, {
    upstream: server,
    name: 'writer',
    identities: [
      {
        name: 'writer',
        accessKeyId: writer.accessKeyId,
        secretAccessKey: { file: 'secrets/writer' },
        grants: [{ bucket: 'own', permissions: ['read', 'write', 'list'] }],
      },
    ],
  })
  const view = viewOf(server)
  await view.makeBucket('own')
  await view.makeBucket('other')
  writes()
  const folder = mkdtempSync(join(tmpdir(), 'ssec-writer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'file')
  writeFileSync(file, 'written by one who may not create buckets')
  const sessionIn = (bucket: string) =>
    rcloneOther.open(
      {
        ...accessFor({ setting: 'https, path', bucket, installation, proxy, signatures: 'v4' }),
        accessKeyId: writer.accessKeyId,
        secretAccessKey: writer.secretAccessKey,
      },
      folder,
    )
  const own = await sessionIn('own')
  await own.put(file, 'a/b.txt')
  await own.get('a/b.txt', join(folder, 'got'))
  t.equal(readFileSync(join(folder, 'got'), 'utf8'), readFileSync(file, 'utf8'), 'it uploads, and reads it back')
  t.equal(await view.withoutKey('own', 'a/b.txt'), 'refused', 'the object is encrypted')
  t.strictSame(writes(), ['PUT a/b.txt'], 'nobody asked the upstream to create a bucket')
  const events = readFileSync(proxy.logFile, 'utf8').split('\n')
  t.ok(
    events.some((line) => line.includes('"CreateBucket"') && line.includes('"BucketAlreadyOwnedByYou"')),
    'rclone asked for the bucket, and was told that it is there',
  )
  await t.rejects((await sessionIn('other')).put(file, 'x'), /Forbidden/, 'in no other bucket')
  await t.rejects((await sessionIn('none')).put(file, 'x'), /Forbidden/, 'nor in one that is not there')
  t.strictSame(writes(), [], 'of which the upstream hears nothing')
  view.close()
  await proxy.stop()
})
