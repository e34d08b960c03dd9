// The configuration changes under load, in one process and in several workers: wholly or not at all, and no request of
// anybody fails of it.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type S3ServiceException,
} from '@aws-sdk/client-s3'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { auditFaults } from '../support/audit-schema.js'
import { registerSecret } from '../support/record.js'
import { type Configuration, makeInstallation, removeInstallation, startProxy } from '../support/running-proxy.js'
import { startEmbedded } from './embedded.js'
import { clientOf, metric, startLoad, until } from './load.js'

const Bucket = 'reload'
const everything = [{ bucket: '*', permissions: ['read', 'write', 'delete', 'list', 'manage'] }]

for (const workers of [1, 3]) {
  t.test(`${workers} processes`, async (t) => {
    const { server: upstream, stop: stopUpstream } = await startEmbedded()
    t.teardown(stopUpstream)
    const installation = await makeInstallation()
    t.teardown(() => removeInstallation(installation))
    const { folder } = installation
    const auditFile = join(folder, 'audit.jsonl')
    const proxy = await startProxy(installation, {
      upstream,
      change: (configuration) => ({
        ...configuration,
        workers,
        log: { level: 'info', objectKeys: 'clear' },
        audit: { file: 'audit.jsonl' },
      }),
    })
    let stopped = false
    t.teardown(() => (stopped ? undefined : proxy.stop()))
    const configuration = parse(readFileSync(proxy.configFile, 'utf8')) as Configuration
    const write = (text: string) => {
      writeFileSync(`${proxy.configFile}.new`, text)
      renameSync(`${proxy.configFile}.new`, proxy.configFile)
    }
    const change = (given: Configuration) => write(stringify({ ...configuration, ...given }))
    const reloads = (result: string) => metric(proxy.adminPort, `ssec_proxy_config_reloads_total{result="${result}"}`)
    const after = async (result: string, action: () => void) => {
      const before = await reloads(result)
      action()
      await until(`a reload that is ${result}`, async () => (await reloads(result)) > before)
    }
    const auditLines = () =>
      [auditFile, `${auditFile}.1`]
        .filter((file) => existsSync(file))
        .flatMap((file) => readFileSync(file, 'utf8').split(/(?<=\n)/))
    const audited = () => auditLines().filter((line) => line.includes('"objectKey":"load/')).length
    const logged = () => readFileSync(proxy.logFile, 'utf8')
    const secret = (name: string) => {
      const value = randomBytes(30).toString('base64')
      registerSecret(name, value)
      writeFileSync(join(folder, 'secrets', name), value, { mode: 0o600 })
      return value
    }
    const { httpsPort: port } = proxy
    const { accessKeyId, secretAccessKey } = installation
    const clients = Array.from({ length: 6 }, () =>
      clientOf(installation, { port, accessKeyId, secretAccessKey, maxAttempts: 1 }),
    )
    await clients[0]?.send(new CreateBucketCommand({ Bucket }))
    const load = startLoad(clients, Bucket)

    const second = { name: 'second', accessKeyId: 'SECONDCLIENT', secretAccessKey: { file: 'secrets/second' } }
    const withSecond = { identities: [...(configuration['identities'] as object[]), { ...second, grants: everything }] }
    /** What so many new connections hear, so that every worker is asked. */
    const heard = async (secretOfSecond: string) => {
      const codes = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const access = { port, accessKeyId: 'SECONDCLIENT', secretAccessKey: secretOfSecond, maxAttempts: 1 }
          const client = clientOf(installation, access)
          try {
            await client.send(new ListBucketsCommand())
            return 'ok'
          } catch (error) {
            return (error as S3ServiceException).name
          } finally {
            client.destroy()
          }
        }),
      )
      return [...new Set(codes)].join(' ')
    }

    let secretOfSecond = secret('second')
    t.equal(await heard(secretOfSecond), 'InvalidAccessKeyId')
    await after('accepted', () => change(withSecond))
    t.equal(await heard(secretOfSecond), 'ok', 'an identity is added, everywhere')

    const older = secretOfSecond
    await after('accepted', () => (secretOfSecond = secret('second')))
    t.equal(await heard(secretOfSecond), 'ok', 'the file of a secret is followed too')
    t.equal(await heard(older), 'SignatureDoesNotMatch')

    // An upload that is running when its identity is taken away goes on under what it began with.
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let begun = false
    const slow = async function* () {
      yield Buffer.alloc(100_000, 'a')
      begun = true
      await gate
      yield Buffer.alloc(100_000, 'b')
    }
    const access = { port, accessKeyId: 'SECONDCLIENT', secretAccessKey: secretOfSecond, maxAttempts: 1 }
    const slowClient = clientOf(installation, access)
    const upload = slowClient.send(
      new PutObjectCommand({ Bucket, Key: 'slow', Body: Readable.from(slow()), ContentLength: 200_000 }),
    )
    await until('the upload has begun', () => begun)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await after('accepted', () => change({}))
    t.equal(await heard(secretOfSecond), 'InvalidAccessKeyId', 'an identity is gone, everywhere')
    release()
    await t.resolves(upload)
    slowClient.destroy()

    const mark = logged().length
    await after('refused', () => write('listeners: [\n'))
    t.equal(await metric(proxy.adminPort, 'ssec_proxy_config_reload_failed'), 1)
    t.match(
      logged().slice(mark),
      /"problems":\["\d+:\d+: .*"msg":"new configuration refused, the old one stays in use"/,
    )
    await after('refused', () => change({ ...withSecond, workers: workers + 1, timeouts: { drain: '11s' } }))
    t.match(logged(), /"problems":\["workers: cannot change without a restart","timeouts: cannot change/)
    t.equal(await heard(secretOfSecond), 'InvalidAccessKeyId', 'nothing of it was taken')
    await after('refused', () => change({ rules: [{ bucket: '*', keyring: 'nowhere' }] }))

    if (workers > 1) {
      // A worker that ends while the file is broken is followed by one that goes by what is in use.
      const pid = Number(/"pid":(\d+)[^\n]*"msg":"request"/.exec(logged())?.[1])
      const crashes = () => metric(proxy.adminPort, 'ssec_proxy_worker_crashes_total{how="SIGKILL"}')
      await load.stop()
      // What a killed process has not handed over yet is lost; that is not what is asked here.
      await until('the last line', () => audited() === load.done())
      process.kill(pid, 'SIGKILL')
      await until('the crash is counted', async () => (await crashes()) === 1)
      await until(
        'its successor',
        async () => (await metric(proxy.adminPort, 'ssec_proxy_workers{state="ready"}')) === 3,
      )
      t.equal(await heard(secretOfSecond), 'InvalidAccessKeyId')
    }
    change({})
    await until(
      'the end of the refusal',
      async () => (await metric(proxy.adminPort, 'ssec_proxy_config_reload_failed')) === 0,
    )

    const plain = {
      rules: [{ bucket: '*', prefix: 'plain/', keyring: 'none' }, ...(configuration['rules'] as object[])],
    }
    await after('accepted', () => change(plain))
    const client = clientOf(installation, { port, accessKeyId, secretAccessKey, maxAttempts: 1 })
    await client.send(new PutObjectCommand({ Bucket, Key: 'plain/a', Body: 'a' }))
    await after('accepted', () => change({}))
    await t.rejects(client.send(new GetObjectCommand({ Bucket, Key: 'plain/a' })), { name: 'InvalidRequest' }, 'a rule')

    renameSync(auditFile, `${auditFile}.1`)
    proxy.signal('SIGHUP')
    await until('the new audit log', () => existsSync(auditFile))
    await until('the word of it', () => logged().includes('configuration unchanged'))
    await after('accepted', () => change({ log: { level: 'error', objectKeys: 'omitted' } }))
    const quiet = logged().length
    await client.send(new GetObjectCommand({ Bucket, Key: 'slow' }))
    t.notMatch(logged().slice(quiet), '"msg":"request"', 'the level of the log, in every process')
    client.destroy()

    await load.stop()
    t.strictSame(load.failures, [], 'no request failed')
    t.ok(load.done() > 100, `${load.done()} requests`)
    stopped = true
    await proxy.stop()
    const lines = auditLines()
    t.strictSame(
      lines.flatMap((line) => auditFaults(line)),
      [],
    )
    t.equal(audited(), load.done(), 'each request is one line of the audit log')
  })
}
