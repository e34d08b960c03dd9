// Two replicas with one configuration and one keyring file, one upstream. A multipart upload that was begun before a
// rotation keeps its key version, on whichever replica its parts and its completion arrive.
import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { startMinio } from '../support/minio.js'
import { startRgw } from '../support/rgw.js'
import {
  breakGlass,
  makeInstallation,
  removeInstallation,
  rotate,
  startProxy,
  type Installation,
  type RunningProxy,
} from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { startEmbedded } from './embedded.js'
import { viewOf } from './upstream-view.js'

const Bucket = 'two-proxies'
const PART = 5 * 1024 * 1024

const clientOf = ({ httpsPort }: RunningProxy, installation: Installation): S3Client =>
  new S3Client({
    endpoint: `https://localhost:${httpsPort}`,
    region: 'us-east-1',
    credentials: installation,
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca: readFileSync(installation.caFile), keepAlive: true }) },
    maxAttempts: 1,
    // a sum in each part would have to be announced when the upload begins, which only lib-storage does
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })

async function read(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

for (const { name, start } of [
  { name: 'origin', start: startEmbedded },
  { name: 'rgw', start: startRgw },
  { name: 'minio', start: startMinio },
]) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    await uploadAcrossRotation(t, started.server)
  })
}

async function uploadAcrossRotation(t: Test, upstream: S3Server): Promise<void> {
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const view = viewOf(upstream)
  t.teardown(() => view.close())
  await view.makeBucket(Bucket)

  // A copy that the rotation does not reach until it is told to.
  const copy = 'keyring-of-the-first.json'
  copyFileSync(installation.keyringFile, join(installation.folder, copy))
  const first = await startProxy(installation, { upstream, name: 'first', keyring: copy })
  let second = await startProxy(installation, { upstream, name: 'second' })
  const old = clientOf(first, installation)
  const before = randomBytes(1000)
  await old.send(new PutObjectCommand({ Bucket, Key: 'before', Body: before }))
  const uploads = await Promise.all(
    ['completed by the old', 'completed by the new'].map(async (Key) => {
      const { UploadId } = await old.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      return { Key, UploadId, parts: [randomBytes(PART), randomBytes(PART), randomBytes(1)] }
    }),
  )

  await rotate(installation)
  await t.resolves(second.stop(), 'the second replica ends with exit code 0')
  second = await startProxy(installation, { upstream, name: 'second' })
  const young = clientOf(second, installation)

  for (const { Key, UploadId, parts } of uploads) {
    const Parts = await Promise.all(
      parts.map(async (Body, index) => {
        const PartNumber = index + 1
        const client = index % 2 === 0 ? young : old
        const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
        return { ETag, PartNumber }
      }),
    )
    const listed = await old.send(new ListPartsCommand({ Bucket, Key, UploadId }))
    t.same(
      listed.Parts?.map(({ Size }) => Size),
      parts.map(({ length }) => length),
      `${Key}: all parts are listed`,
    )
    const client = Key === 'completed by the old' ? old : young
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
    const whole = Buffer.concat(parts)
    t.ok(whole.equals(await read(old, Key)), `${Key}: the old replica reads it`)
    t.ok(whole.equals(await read(young, Key)), `${Key}: the new replica reads it`)
    t.equal(await view.withoutKey(Bucket, Key), 'refused', `${Key}: nobody reads it without its key`)

    const keys = await breakGlass(second.configFile, Bucket, Key)
    const opened = await Promise.all(
      keys.map(({ headers }) => view.withKey(Bucket, Key, headers).catch(() => 'does not open')),
    )
    const hash = createHash('sha256').update(whole).digest('hex')
    t.same(opened, ['does not open', hash], `${Key}: it has the key version that it was begun with`)
  }

  t.ok(before.equals(await read(young, 'before')), 'what was written before the rotation is read after it')
  await young.send(new PutObjectCommand({ Bucket, Key: 'after', Body: before }))
  const refusal = await read(old, 'after').then(
    () => 'read',
    (error: unknown) => (error as S3ServiceException).$metadata.httpStatusCode,
  )
  t.ok(refusal === 400 || refusal === 403, 'a replica without the key cannot read')
  copyFileSync(installation.keyringFile, join(installation.folder, copy))
  for (let tries = 0; tries < 300 && !(await read(old, 'after').then(Boolean, () => false)); tries += 1)
    await delay(100)
  t.ok(before.equals(await read(old, 'after')), 'it can once its file has it, without a restart')
  if (upstream.name !== 'rgw') {
    await young.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource: `${Bucket}/before` }))
    t.ok(before.equals(await read(young, 'copied')), 'a copy leads from the old key version to the new one')
  }
  await t.resolves(first.stop(), 'exit code 0')
  await t.resolves(second.stop(), 'exit code 0')
}
