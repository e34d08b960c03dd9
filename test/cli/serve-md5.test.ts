import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { serve } from '../../src/cli/serve.js'
import { check } from '../../src/cli/check.js'
import type { CliIo } from '../../src/cli/io.js'
import { formatKeyringFile } from '../../src/keyring/keyring-file.js'
import type { Origin } from '../../src/origin/start-origin.js'
import { testCertificates } from '../support/certificates.js'
import { freePorts } from '../support/free-ports.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'

/** A configuration for an origin, with `etag: md5` for these buckets. */
async function setUp(t: Test, buckets: readonly string[], port: number, workers = 1) {
  const [listener = 0] = await freePorts(1)
  const rules = buckets.map((bucket) => `  - { bucket: ${bucket}, keyring: main, etag: md5 }`)
  const directory = t.testdir({
    'main.json': formatKeyringFile({
      type: 'derived',
      name: 'main',
      versions: [
        {
          type: 'plain',
          id: 'v1',
          state: 'active',
          created: '2026-11-01T00:00:00Z',
          key: createSecretKey(randomBytes(32)),
        },
      ],
      retired: [],
    }),
    'ca.crt': testCertificates().authority.cert,
    'proxy.yaml': `listeners: [{ http: { host: 127.0.0.1, port: ${listener}, anonymous: guest } }]
upstream:
  endpoint: https://localhost:${port}
  region: us-east-1
  addressing: path
  ca: ca.crt
  credentials: { accessKeyId: ${ORIGIN_CREDENTIALS.accessKeyId}, secretAccessKey: { env: UPSTREAM_SECRET } }
identities: [{ name: guest, anonymous: true, grants: [{ bucket: '*', permissions: [read, write] }] }]
keyrings: [{ name: main, type: derived, file: main.json }]
rules:
${rules.join('\n')}
  - { bucket: other, keyring: main }
log: { level: silent }
workers: ${workers}
`,
  })
  chmodSync(join(directory, 'main.json'), 0o600)
  const out = { out: '', err: '' }
  const io: CliIo = {
    stdout: (text) => void (out.out += text),
    stderr: (text) => void (out.err += text),
    env: { UPSTREAM_SECRET: ORIGIN_CREDENTIALS.secretAccessKey },
    now: () => new Date(),
    randomBytes: (size) => randomBytes(size),
  }
  return { file: join(directory, 'proxy.yaml'), io, out, listener }
}

/** Serves until it is ready, or refused. */
async function served(t: Test, buckets: readonly string[], origin: Pick<Origin, 'port'>) {
  const { file, io, out } = await setUp(t, buckets, origin.port)
  const code = await serve(file, io, { stop: () => Promise.resolve(), onReload: () => undefined, version: '1.2.3' })
  return { code, err: out.err }
}

t.test('the start asks the upstream in each bucket, and leaves nothing there', async (t) => {
  const origin = await startTestOrigin({ buckets: ['one', 'two', 'other'] })
  t.teardown(() => origin.close())
  const written: string[] = []
  origin.faults.intercept = ({ method, target }) => {
    if (method === 'PUT') written.push(target.replace(/probe-[0-9a-f]{32}/, 'probe').replace(/\?.*/, ''))
    return { type: 'proceed' }
  }
  t.strictSame(await served(t, ['one', 'two'], origin), { code: 0, err: '' })
  t.strictSame([...new Set(written)].sort(), ['/one/.ssec-proxy-probe', '/two/.ssec-proxy-probe'])
  t.same(origin.objects(), [])
  t.same(origin.uploads(), [])
  written.length = 0
  t.strictSame(await served(t, [], origin), { code: 0, err: '' })
  t.same(written, [], 'nothing is asked where no rule says md5')
})

t.test('a start that is refused says where, why, and what to do, for every bucket', async (t) => {
  const origin = await startTestOrigin({ buckets: ['one', 'two'] })
  t.teardown(() => origin.close())
  origin.faults.ignoreChecksums = true
  const { code, err } = await served(t, ['one', 'two', 'none'], origin)
  t.equal(code, 1)
  t.match(
    err,
    /^ssec-proxy: rules\[0\]\.etag: `md5` could not be seen to hold in bucket one: PutObject with x-amz-checksum-md5 is answered without x-amz-checksum-md5\. Mend that, or set `opaque`, /,
  )
  t.match(err, 'rules[1].etag: `md5` could not be seen to hold in bucket two')
  t.match(err, /rules\[2\]\.etag: `md5` could not be seen to hold in bucket none: .*NoSuchBucket/)
  t.equal(err.split('\n').length, 2, 'one line')
  t.same(origin.objects(), [])
})

t.test('an upstream that denies, and one that is not there', async (t) => {
  const origin = await startTestOrigin({ buckets: ['one'] })
  t.teardown(() => origin.close())
  origin.setBlockedEncryptionTypes('one', ['SSE-C'])
  const denied = await served(t, ['one'], origin)
  t.same([denied.code, /SSE-C is blocked on the bucket/.test(denied.err)], [1, true], denied.err)
  const [port = 0] = await freePorts(1)
  const away = await served(t, ['one'], { port })
  t.equal(away.code, 1)
  t.match(away.err, /^ssec-proxy: rules\[0\]\.etag: .* no answer from the upstream \(connect\)/)
})

t.test('check sends nothing, and says that serve will', async (t) => {
  const { file, io, out } = await setUp(t, ['one'], 1)
  t.equal(check(file, io), 0, out.err)
  t.match(out.out, /one: main, ETags are MD5s \(the upstream is probed for them when `serve` starts\)/)
})

t.test('a rule that comes later is not got around the question: a reload asks too, once for each bucket', async (t) => {
  const origin = await startTestOrigin({ buckets: ['one', 'other'] })
  t.teardown(() => origin.close())
  const { file, io, listener } = await setUp(t, [], origin.port)
  const before = readFileSync(file, 'utf8')
  let stop: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  let reload: () => void = () => undefined
  const ready = new Promise<void>((resolve) => {
    const onReload = (given: () => void) => {
      reload = given
      resolve()
    }
    const running = serve(file, io, { stop: () => stopped, onReload, version: '1.2.3' })
    t.teardown(async () => {
      stop()
      await running
    })
  })
  await ready
  let probes = 0
  const watch = () => {
    origin.faults.intercept = ({ method, target }) => {
      if (method === 'DELETE' && target.includes('probe')) probes += 1
      return { type: 'proceed' }
    }
  }
  const put = async (bucket: string) => {
    const answer = await fetch(`http://127.0.0.1:${listener}/${bucket}/object`, { method: 'PUT', body: 'abc' })
    return `${answer.status} ${answer.headers.get('etag') ?? ''}`
  }
  const until = async (what: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 200 && !(await what()); i += 1) await delay(50)
  }
  const MD5 = `200 "${createHash('md5').update('abc').digest('hex')}"`
  t.match(await put('other'), /^200 "[0-9a-f]{32}-0"$/)

  origin.faults.refuseTrailers = true
  watch()
  const rule = (bucket: string) => `  - { bucket: ${bucket}, keyring: main, etag: md5 }\n`
  const after = before.replace('  - { bucket: other, keyring: main }\n', rule('other'))
  writeFileSync(file, after)
  reload()
  await until(() => probes > 0)
  t.equal(probes, 1, 'the upstream was asked')
  await delay(500)
  t.match(await put('other'), /^200 "[0-9a-f]{32}-0"$/, 'and the rule is not in use')

  origin.resetFaults()
  watch()
  reload()
  await until(async () => (await put('other')) === MD5)
  t.equal(await put('other'), MD5, 'it is, once the upstream was seen to keep MD5s')
  probes = 0
  writeFileSync(file, after.replace('log: {', `${rule('one')}log: {`))
  reload()
  await until(async () => (await put('one')) === MD5)
  t.equal(await put('one'), MD5)
  t.equal(probes, 1, 'the first bucket is not asked again')
  t.same(
    origin.objects().map(({ objectKey }) => objectKey),
    ['object', 'object'],
  )
})
