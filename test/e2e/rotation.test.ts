// Two replicas, one keyring file that is rotated ten times under their feet. Clients write, read, copy and upload all the
// while and must not notice; afterwards every object opens through both replicas and without either.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { Agent } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { keysHeaders } from '../../src/cli/keys-headers.js'
import { startMinio } from '../support/minio.js'
import {
  type KeyHeaders,
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

const Bucket = 'rotation'
const ROTATIONS = 10
const PART = 5 * 1024 * 1024
/** From `keys rotate` to the first write with the new version: replicas look at once, but this machine may be busy. */
const ACTIVATE_IN = '6s'

for (const { name, start } of [
  { name: 'origin', start: startEmbedded },
  { name: 'minio', start: startMinio },
]) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    await rotateUnderLoad(t, started.server)
  })
}

const clientOf = ({ httpsPort }: RunningProxy, installation: Installation): S3Client =>
  new S3Client({
    endpoint: `https://localhost:${httpsPort}`,
    region: 'us-east-1',
    credentials: installation,
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca: readFileSync(installation.caFile), keepAlive: true }) },
    // An error that a retry would hide is an error here.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

async function read(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

/** The id of the key version that a replica writes with, and of all that it knows. */
function keyVersions({ adminPort }: RunningProxy): Promise<{ active: string; all: readonly string[]; failed: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: adminPort, path: '/metrics' }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const lines = [...text.matchAll(/^ssec_proxy_key_version_info\{.*key_version="([^"]+)",active="(\w+)"\} 1$/gm)]
        resolve({
          active: lines.find(([, , active]) => active === 'true')?.[1] ?? 'none',
          all: lines.map(([, id = '']) => id),
          failed: /^ssec_proxy_keyring_reload_failed\{keyring="main"\} (\d)$/m.exec(text)?.[1] ?? 'none',
        })
      })
    })
      .once('error', reject)
      .end()
  })
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await isSo());) {
    await delay(100)
    if (Date.now() > end) throw new Error(`not in a minute: ${what}`)
  }
}

/** What `keys headers` prints, without a process for each of hundreds of objects. */
async function headersOf(config: string, objectKey: string): Promise<readonly KeyHeaders[]> {
  let printed = ''
  const io = {
    stdout: (text: string) => (printed += text),
    stderr: () => undefined,
    env: {},
    now: () => new Date(),
    randomBytes: (size: number) => randomBytes(size),
  }
  const args = { object: `s3://${Bucket}/${objectKey}`, config, versionId: undefined, keyVersion: undefined }
  await keysHeaders({ ...args, format: 'json' }, io)
  return JSON.parse(printed) as readonly KeyHeaders[]
}

interface FileVersion {
  readonly id: string
  readonly state: string
  readonly activateAt?: string
}

const versionsIn = (file: string): readonly FileVersion[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { versions: readonly FileVersion[] }).versions

async function rotateUnderLoad(t: Test, upstream: S3Server): Promise<void> {
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const view = viewOf(upstream)
  t.teardown(() => view.close())
  await view.makeBucket(Bucket)
  const replicas = [
    await startProxy(installation, { upstream, name: 'first' }),
    await startProxy(installation, { upstream, name: 'second' }),
  ] as const
  const clients = replicas.map((replica) => clientOf(replica, installation))
  const one = (turn: number): S3Client => clients[turn % 2]!

  const written = new Map<string, string>()
  const errors: string[] = []
  let running = true
  let requests = 0
  const loop = async (name: string, pauseMs: number, work: (turn: number) => Promise<void>) => {
    for (let turn = 0; running; turn += 1) {
      await work(turn).catch((error: unknown) => void errors.push(`${name} ${turn}: ${String(error)}`))
      await delay(pauseMs)
    }
  }
  const put = async (turn: number, Key: string, Body: Buffer) => {
    await one(turn).send(new PutObjectCommand({ Bucket, Key, Body }))
    written.set(Key, sha256(Body))
  }
  const check = async (turn: number, Key: string) => {
    const hash = sha256(await read(one(turn), Key))
    if (hash !== written.get(Key)) throw new Error(`${Key} reads as something else`)
    requests += 1
  }
  const any = (turn: number): string => [...written.keys()][(turn * 7919) % written.size]!
  await put(0, 'put 0', randomBytes(1000))
  const load = [
    loop('put', 400, async (turn) => {
      const Key = `put ${turn}`
      await put(turn, Key, randomBytes(1000 + turn))
      await check(turn + 1, Key)
    }),
    loop('get', 20, (turn) => check(turn, any(turn))),
    loop('copy', 900, async (turn) => {
      const source = any(turn)
      const Key = `copy ${turn}`
      await one(turn).send(
        new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${encodeURIComponent(source)}` }),
      )
      written.set(Key, written.get(source)!)
      await check(turn + 1, Key)
    }),
    ...[0, 1].map((which) =>
      // Each upload lasts longer than it takes a version to become active, and changes replicas with every part.
      loop(`upload ${which}`, 100, async (turn) => {
        const Key = `upload ${which} ${turn}`
        const { UploadId } = await one(turn).send(new CreateMultipartUploadCommand({ Bucket, Key }))
        const parts = [randomBytes(PART), randomBytes(PART), randomBytes(17)]
        const Parts: { ETag: string | undefined; PartNumber: number }[] = []
        for (const [index, Body] of parts.entries()) {
          const PartNumber = index + 1
          const client = one(turn + PartNumber)
          const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
          Parts.push({ ETag, PartNumber })
          await delay(2_500)
        }
        const last = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } })
        await one(turn).send(last)
        written.set(Key, sha256(Buffer.concat(parts)))
        await check(turn + 1, Key)
      }),
    ),
  ]

  for (let turn = 1; turn <= ROTATIONS; turn += 1) {
    await rotate(installation, '--activate-in', ACTIVATE_IN)
    const pending = versionsIn(installation.keyringFile).find(({ state }) => state === 'pending')!
    await until(`both replicas know key version ${pending.id}`, async () =>
      (await Promise.all(replicas.map(keyVersions))).every(({ all }) => all.includes(pending.id)),
    )
    t.ok(Date.now() < Date.parse(pending.activateAt!), `rotation ${turn}: both know it before anyone writes with it`)
    await until(`both replicas write with key version ${pending.id}`, async () =>
      (await Promise.all(replicas.map(keyVersions))).every(({ active }) => active === pending.id),
    )
    if (turn === 5) {
      // What happens when somebody edits the file meanwhile: nothing, but for the alarm.
      const good = readFileSync(installation.keyringFile, 'utf8')
      writeFileSync(installation.keyringFile, good.slice(0, good.length / 2))
      await until('the broken file is refused', async () =>
        (await Promise.all(replicas.map(keyVersions))).every(({ failed }) => failed === '1'),
      )
      await delay(1_000)
      writeFileSync(installation.keyringFile, good)
      await until('the good file is taken for good', async () =>
        (await Promise.all(replicas.map(keyVersions))).every(({ failed }) => failed === '0'),
      )
    }
  }
  running = false
  await Promise.all(load)

  t.same(errors, [], 'no client saw an error')
  t.equal(versionsIn(installation.keyringFile).length, ROTATIONS + 1, 'no key version is lost')
  t.comment(`${written.size} objects, ${requests} reads that were compared`)
  const used = new Set<string>()
  for (const [objectKey, hash] of written) {
    const throughBoth = await Promise.all(clients.map(async (client) => sha256(await read(client, objectKey))))
    const keys = await headersOf(replicas[0].configFile, objectKey)
    const opened = await Promise.all(
      keys.map(async ({ keyVersion, headers }) =>
        view.withKey(Bucket, objectKey, headers).then(
          (found) => (found === hash ? keyVersion : 'other bytes'),
          () => 'does not open',
        ),
      ),
    )
    const fitting = opened.filter((result) => result !== 'does not open')
    const good = throughBoth.every((found) => found === hash) && fitting.length === 1 && fitting[0] !== 'other bytes'
    if (good) used.add(fitting[0]!)
    else t.fail(`${objectKey}: ${JSON.stringify({ opened, throughBoth, hash })}`)
  }
  t.ok(
    used.size >= ROTATIONS,
    `${written.size} objects open through both replicas and without, under ${used.size} keys`,
  )
  await Promise.all(replicas.map((replica) => replica.stop()))
}
