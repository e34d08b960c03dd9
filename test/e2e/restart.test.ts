// Replicas come and go, and no client sees a request fail: SIGTERM under load, and a rolling restart of two replicas behind
// a TCP balancer while 256 MiB are being uploaded. Clients are SDKs with their usual retries.
import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import t, { type Test } from 'tap'
import { freePorts } from '../support/free-ports.js'
import {
  type Installation,
  type RunningProxy,
  makeInstallation,
  removeInstallation,
  startProxy,
} from '../support/running-proxy.js'
import type { S3Server } from '../support/server.js'
import { startEmbedded } from './embedded.js'
import { clientOf, startLoad, until } from './load.js'

const Bucket = 'restart'
const MIB = 1024 * 1024

function haproxyIsMissing(): string | false {
  try {
    execFileSync('haproxy', ['-v'], { stdio: 'pipe' })
    return false
  } catch {
    return 'haproxy is not installed'
  }
}

/** A TCP balancer, as its manual has it: connections that a server does not take go to the other one. */
async function startBalancer(t: Test, folder: string, ports: readonly number[]): Promise<number> {
  const [port = 0] = await freePorts(1)
  const file = join(folder, 'haproxy.cfg')
  const servers = ports.map((to, i) => `  server replica${i} 127.0.0.1:${to} check inter 200ms fall 1 rise 1`)
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 2s
  timeout client 5m
  timeout server 5m
  retries 3
  option redispatch
frontend s3
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance leastconn
${servers.join('\n')}
`,
  )
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return port
}

async function replicas(t: Test, upstream: S3Server, installation: Installation) {
  const start = (name: string): Promise<RunningProxy> =>
    startProxy(installation, {
      upstream,
      name,
      change: (configuration) => ({
        ...configuration,
        log: { level: 'info', objectKeys: 'clear' },
        timeouts: { drain: '2m' },
      }),
    })
  const one = await start('one')
  const two = await start('two')
  let running = [one, two]
  t.teardown(() => Promise.all(running.map((proxy) => proxy.stop())))
  return {
    ports: [one.httpsPort, two.httpsPort],
    /** Ends a replica and starts it again on its ports, as its configuration file says. */
    restart: async (proxy: RunningProxy): Promise<string> => {
      running = running.filter((other) => other !== proxy)
      const before = readFileSync(proxy.logFile, 'utf8').length
      await proxy.stop(130_000)
      const said = readFileSync(proxy.logFile, 'utf8').slice(before)
      running.push(await proxy.again())
      return said
    },
    one,
    two,
  }
}

const drained = (said: string) =>
  JSON.parse(said.split('\n').find((line) => line.includes('"msg":"stopped"')) ?? '{}') as Record<string, unknown>

t.test(
  'SIGTERM under load: what runs finishes, the rest goes to the other replica',
  { skip: haproxyIsMissing() },
  async (t) => {
    const { server, stop } = await startEmbedded()
    t.teardown(stop)
    const installation = await makeInstallation()
    t.teardown(() => removeInstallation(installation))
    const { ports, one, two, restart } = await replicas(t, server, installation)
    const port = await startBalancer(t, installation.folder, ports)
    const { accessKeyId, secretAccessKey } = installation
    const clients = Array.from({ length: 8 }, () =>
      clientOf(installation, { port, accessKeyId, secretAccessKey, maxAttempts: 3 }),
    )
    await clients[0]?.send(new CreateBucketCommand({ Bucket }))
    const load = startLoad(clients, Bucket)
    for (const proxy of [one, two]) {
      const before = load.done()
      await until('some load', () => load.done() > before + 40, 60_000)
      const said = drained(await restart(proxy))
      t.equal(said['cut'], 0, 'nothing was cut off')
      t.comment(`finished while draining: ${String(said['finished'])}`)
    }
    await load.stop()
    t.strictSame(load.failures, [], `${load.done()} requests, and none failed`)
  },
)

t.test('a rolling restart while 256 MiB are uploaded', { skip: haproxyIsMissing() }, async (t) => {
  const { server, stop } = await startEmbedded()
  t.teardown(stop)
  const installation = await makeInstallation()
  t.teardown(() => removeInstallation(installation))
  const { ports, one, two, restart } = await replicas(t, server, installation)
  const port = await startBalancer(t, installation.folder, ports)
  const { accessKeyId, secretAccessKey } = installation
  const client = clientOf(installation, { port, accessKeyId, secretAccessKey, maxAttempts: 5 })
  t.teardown(() => client.destroy())
  await client.send(new CreateBucketCommand({ Bucket }))
  const block = randomBytes(MIB)
  const body = Buffer.concat(Array.from({ length: 256 }, () => block))
  const sum = createHash('sha256').update(body).digest('hex')
  let sent = 0
  const uploads = ['first', 'second'].map(async (Key) => {
    const upload = new Upload({ client, params: { Bucket, Key, Body: body }, partSize: 8 * MIB, queueSize: 2 })
    upload.on('httpUploadProgress', () => (sent += 1))
    await upload.done()
  })
  const all = Promise.all(uploads)
  all.catch(() => undefined)
  await until('some parts', () => sent >= 4, 120_000)
  t.equal(drained(await restart(one))['cut'], 0)
  t.equal(drained(await restart(two))['cut'], 0)
  t.ok(sent < 64, `both replicas were restarted while parts were on their way (${sent} of 64)`)
  await t.resolves(all)
  for (const Key of ['first', 'second']) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
    const hash = createHash('sha256')
    for await (const chunk of Body as AsyncIterable<Buffer>) hash.update(chunk)
    t.equal(hash.digest('hex'), sum, Key)
  }
})
