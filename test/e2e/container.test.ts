// The image that the Dockerfile gives, built and run by scripts/container: as PID 1 and as its own user, read-only, with
// no privilege, in front of the embedded origin.
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { freePorts } from '../support/free-ports.js'
import { registerSecret, transcript } from '../support/record.js'
import { run, runWell } from '../support/run-program.js'
import { type Installation, makeInstallation, removeInstallation } from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { startEmbedded } from './embedded.js'
import { viewOf } from './upstream-view.js'

const SCRIPT = fileURLToPath(new URL('../../scripts/container', import.meta.url))
const USER = 65532
const CONFIG = '/etc/ssec-proxy/ssec-proxy.yaml'

async function theImage(t: Test): Promise<void> {
  const image = mkdtempSync(join(tmpdir(), 'ssec-proxy-image-'))
  t.teardown(() => rmSync(image, { recursive: true, force: true }))
  const built = await runWell(SCRIPT, ['build', image], {
    env: buildEnvironment(),
    timeoutMs: 800_000,
  })
  const weight = built.stdout.toString().trim().split('\n').at(-1) ?? ''
  t.comment(weight)
  t.match(weight, /^image: \d+ MB \(Debian \d+, node \d+, program \d+\)$/)
  t.ok(Number(/program (\d+)/.exec(weight)?.[1]) < 60, 'the program and what it needs weigh less than 60 MB')

  await t.test('what is in it, and what it says of itself', async (t) => contents(t, image))

  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const upstream = await startEmbedded()
  t.teardown(upstream.stop)
  const [https = 0, admin = 0] = await freePorts(2)
  configure(installation, upstream.server, { https, admin })

  await t.test('runs unprivileged and read-only, is healthy, and a SIGTERM loses no request', async (t) => {
    const container = start(t, image, installation)
    const health = ['health', '--config', CONFIG]
    const healthy = () => run(SCRIPT, ['run', image, installation.folder, ...health])
    for (let tries = 0; (await healthy()).code !== 0 && tries < 60; tries += 1) await delay(250)
    t.equal((await healthy()).code, 0, 'its health check says that it is healthy')

    const first = container.first()
    const status = readFileSync(`/proc/${first}/status`, 'utf8')
    t.match(status, /^Name:\ttini$/m)
    t.match(status, /^NSpid:\t\d+\t1$/m, 'it is PID 1')
    t.match(status, new RegExp(`^Uid:\\t${USER}\\t${USER}\\t${USER}\\t${USER}$`, 'm'))
    t.match(status, /^NoNewPrivs:\t1$/m)
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) t.match(status, new RegExp(`^Cap${set}:\\t0+$`, 'm'))
    const mounts = readFileSync(`/proc/${first}/mountinfo`, 'utf8').trim().split('\n')
    t.match(
      mounts.find((line) => line.split(' ')[4] === '/')?.split(' ')[5],
      /^ro\b/,
      'the root file system is read-only',
    )

    const client = clientOf(installation, https)
    t.teardown(() => client.destroy())
    const view = viewOf(upstream.server)
    t.teardown(() => view.close())
    const Bucket = 'container'
    await view.makeBucket(Bucket)
    await client.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: 'content' }))
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'whole' }))
    t.equal(await Body?.transformToString(), 'content')
    t.equal(await view.withoutKey(Bucket, 'whole'), 'refused', 'it lies encrypted')

    const half = Buffer.alloc(1024 * 1024, 'x')
    const body = new PassThrough()
    const upload = client.send(
      new PutObjectCommand({ Bucket, Key: 'while it stops', Body: body, ContentLength: 2 * half.length }),
    )
    body.write(half)
    await delay(500)
    process.kill(first, 'SIGTERM')
    for (let tries = 0; !container.said().includes('"stopping"') && tries < 200; tries += 1) await delay(50)
    body.end(half)
    t.equal((await upload).$metadata.httpStatusCode, 200, 'an upload that ran when SIGTERM came is finished')
    t.equal(await container.ended, 0, 'exit code 0')
    t.equal((await healthy()).code, 1, 'no longer healthy')
  })

  await t.test('a SIGTERM before there is a handler for it ends the container at once', async (t) => {
    const container = start(t, image, installation)
    for (let tries = 0; container.programs() === 0 && tries < 10_000; tries += 1) await delay(1)
    process.kill(container.first(), 'SIGTERM')
    const limit = delay(5_000, 'is still there after 5 s', { ref: false })
    t.equal(await Promise.race([container.ended, limit]), 143)
  })

  await t.test('a configuration that is wrong is told, and ends it with exit code 1', async (t) => {
    writeFileSync(join(installation.folder, 'ssec-proxy.yaml'), 'listeners: []\n')
    const { code, stderr } = await run(SCRIPT, ['run', image, installation.folder])
    t.equal(code, 1)
    t.match(stderr, /ssec-proxy: listeners: /)
  })
}

/** Where caches are, and the CA of a machine behind a proxy. */
const buildEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    ['HOME', 'XDG_CACHE_HOME', 'NODE_EXTRA_CA_CERTS'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )

function contents(t: Test, image: string): void {
  const { config } = JSON.parse(readFileSync(join(image, 'image.json'), 'utf8')).Docker
  t.equal(config.User, `${USER}:${USER}`, 'a number, not root')
  t.match(config.Labels, {
    'org.opencontainers.image.title': 'ssec-proxy',
    'org.opencontainers.image.version': JSON.parse(readFileSync('package.json', 'utf8')).version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.revision': /^[0-9a-f]{40}$/,
  })
  t.same(config.Healthcheck.Test, ['CMD', 'node', '/app/bin/ssec-proxy.js', 'health', '--config', CONFIG])
  const inside = (path: string) => join(image, 'rootfs', path)
  for (const path of ['usr/local/bin/npm', 'usr/bin/curl', 'usr/bin/gcc', 'app/test', 'app/src', 'app/.git']) {
    t.notOk(existsSync(inside(path)), `no ${path}`)
  }
  const installed = new Set(readdirSync(inside('app/node_modules')))
  for (const name of ['typescript', 'tap', 'eslint', 'aws-sdk']) t.notOk(installed.has(name), `no ${name}`)
  const writable = spawnSync('find', [inside('app'), '-perm', '/022', '-not', '-type', 'l']).stdout.toString()
  t.equal(writable, '', 'nothing of the program can be written by others')
  const owned = spawnSync('find', [inside('app'), '-not', '-user', 'root']).stdout.toString()
  t.equal(owned, '', 'nor by the user that it runs as')
}

function configure(
  installation: Installation,
  upstream: S3Server,
  ports: { readonly https: number; readonly admin: number },
): void {
  const { folder, accessKeyId } = installation
  writeFileSync(join(folder, 'upstream-ca.crt'), upstream.ca)
  writeFileSync(join(folder, 'secrets/upstream'), upstream.credentials.secretAccessKey)
  registerSecret('secret access key of the upstream', upstream.credentials.secretAccessKey)
  const configuration = {
    listeners: [{ https: { host: '127.0.0.1', port: ports.https, cert: 'proxy.crt', key: 'proxy.key' } }],
    upstream: {
      endpoint: upstream.endpoint,
      region: upstream.region,
      ca: 'upstream-ca.crt',
      credentials: {
        accessKeyId: upstream.credentials.accessKeyId,
        secretAccessKey: { file: 'secrets/upstream' },
      },
    },
    identities: [
      {
        name: 'client',
        accessKeyId,
        secretAccessKey: { file: 'secrets/client' },
        grants: [{ bucket: '*', permissions: ['read', 'write'] }],
      },
    ],
    keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
    rules: [{ bucket: '*', keyring: 'main' }],
    admin: { port: ports.admin },
  }
  writeFileSync(join(folder, 'ssec-proxy.yaml'), stringify(configuration))
  for (const name of ['', ...readdirSync(folder, { recursive: true })])
    chownSync(join(folder, String(name)), USER, USER)
}

interface Container {
  /** The process id, on the machine, of its PID 1. */
  first(): number
  /** How many processes its PID 1 has started. */
  programs(): number
  readonly said: () => string
  /** The exit code. */
  readonly ended: Promise<number | null>
}

function start(t: Test, image: string, { folder }: Installation): Container {
  const child = spawn(SCRIPT, ['run', image, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  const log = transcript('container', '/dev/null')
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said.push(data.toString())
      writeFileSync(log, data, { flag: 'a' })
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  // what is started as PID 1 goes with it
  t.teardown(() => child.kill('SIGKILL'))
  const first = (): number => childrenOf(child.pid ?? 0).find(isTini) ?? 0
  return {
    first,
    programs: () => (first() === 0 ? 0 : childrenOf(first()).length),
    said: () => said.join(''),
    ended,
  }
}

/** Before that the script itself is there. */
const isTini = (pid: number): boolean => readOr(`/proc/${pid}/comm`).trim() === 'tini'

const childrenOf = (pid: number): readonly number[] =>
  readOr(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const clientOf = (installation: Installation, port: number): S3Client =>
  new S3Client({
    endpoint: `https://localhost:${port}`,
    region: 'us-east-1',
    credentials: installation,
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca: readFileSync(installation.caFile) }) },
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })

const missing = ['buildah', 'debootstrap'].filter((program) => spawnSync('which', [program]).status !== 0)
const reason = process.getuid?.() !== 0 ? 'only root can build and run images' : `there is no ${missing.join(', no ')}`

if (process.getuid?.() !== 0 || missing.length > 0) t.pass('the image', { skip: reason })
else void t.test('the image', theImage)
