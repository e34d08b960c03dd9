// Keyrings in two servers of KMS's protocol, moto and local-kms, over TLS and the SDK's own client, behind the whole proxy: what clients see when KMS denies,
// throttles or goes away, and that nothing is ever written in the clear meanwhile.
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { KeyringConfig } from '../../src/config/types.js'
import { openKeyrings } from '../../src/keyring/create.js'
import { checkOfMac, CHECK_LABEL } from '../../src/keyring/check-value.js'
import { derivationKey, deriveDataKey } from '../../src/keyring/derive.js'
import { formatKeyringFile, type KeyringContents } from '../../src/keyring/keyring-file.js'
import { openKms } from '../../src/keyring/kms.js'
import type { Keyring } from '../../src/keyring/port.js'
import { wrapKey } from '../../src/keyring/wrap-key.js'
import { kmsOverSdk } from '../../src/kms-over-sdk.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { checkOf, bytesOf, hex, keyOf, scopeOf } from '../keyring/material.js'
import { KMS } from '../keyring/fake-kms.js'
import { kmsError, startKmsFront } from '../support/kms-front.js'
import { startLocalKms } from '../support/local-kms.js'
import { startMoto } from '../support/moto.js'
import { ORIGIN_CREDENTIALS, originServer, startTestOrigin } from '../support/origin.js'
import { CLIENT, encryptedRule, startTestProxy } from '../support/proxy-in-process.js'
import { testCertificates } from '../support/certificates.js'
import { registerSecret } from '../support/record.js'
import { runWell } from '../support/run-program.js'
import { pathOf, s3 } from '../support/s3-client.js'

const SECRET = 'moto-takes-any-secret-000'
for (const { name, start } of [
  { name: 'moto', start: startMoto },
  { name: 'local-kms', start: startLocalKms },
]) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    await withKms(t, started.port)
  })
}

async function withKms(t: Test, backendPort: number): Promise<void> {
  registerSecret('secret access key for moto', SECRET)
  const credentials = { accessKeyId: 'AKIAMOTO', secretAccessKey: SECRET }
  const region = 'eu-central-1'
  const admin = new KMSClient({ region, endpoint: `http://127.0.0.1:${backendPort}`, credentials })
  t.teardown(() => admin.destroy())
  const made = async (more: object) => (await admin.send(new CreateKeyCommand(more))).KeyMetadata!.Arn!
  const wrapping = await made({})
  const macKey = await made({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  for (const [AliasName, TargetKeyId] of [
    ['alias/backups', wrapping],
    ['alias/mac', macKey],
  ])
    await admin.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
  const front = await startKmsFront(backendPort)
  t.teardown(front.close)
  const endpoint = { hostname: 'localhost', port: front.port }
  const kms = openKms({
    region,
    endpoint,
    ca: front.ca,
    timeoutMs: 10_000,
    maxSockets: 4,
    credentials: async () => credentials,
  })
  t.teardown(kms.close)

  const folder = t.testdir({})
  writeFileSync(join(folder, 'ca.pem'), front.ca)
  const config = (type: 'derived' | 'kms-mac', name: string, more: object = {}): KeyringConfig => ({
    name,
    type,
    file: join(folder, `${name}.json`),
    kms: {
      ...KMS,
      region,
      endpoint,
      ca: { type: 'file', file: join(folder, 'ca.pem') },
      credentials: {
        type: 'static',
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: new SecretAccessKey(SECRET),
        sessionToken: 'none',
      },
      timeoutMs: 1000,
      startTimeoutMs: 1500,
      ...more,
    },
  })
  const world = kmsOverSdk({ now: () => new Date(), randomBytes: (size) => Buffer.alloc(size, 7) })
  const open = (contents: KeyringContents, of: KeyringConfig) =>
    openKeyrings(
      [of],
      () => ({ type: 'text', text: formatKeyringFile(contents), mode: 0o600 }),
      () => new Date(),
      world,
    )
  const opened = async (contents: KeyringContents, of: KeyringConfig): Promise<Keyring> => {
    const result = await open(contents, of)
    if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
    return result.opened[0]!.keyring
  }
  const head = { id: 'v1', state: 'active' as const, created: '2026-11-25T00:00:00Z' }
  const wrappedFor = async (keyring: string): Promise<KeyringContents> => {
    registerSecret('a key that moto wraps', bytesOf('moto'))
    const result = await wrapKey(kms, { keyring, keyVersion: 'v1', kmsKeyId: wrapping, key: keyOf('moto') })
    if (result.type !== 'wrapped') throw new Error(result.reason)
    const version = { ...head, ...result, kmsKeyId: wrapping, check: checkOf(bytesOf('moto')) }
    return { type: 'derived', name: 'main', versions: [version], retired: [] }
  }
  const label = await kms.generateMac(macKey, CHECK_LABEL)
  if (label.type !== 'bytes') throw new Error(label.reason)
  const macs: KeyringContents = {
    type: 'kms-mac',
    name: 'mac',
    versions: [{ ...head, type: 'mac', kmsKeyId: macKey, check: checkOfMac(label.bytes) }],
    retired: [],
  }

  t.test('a wrapped version opens under its keyring, and under no other', async (t) => {
    const ring = await opened(await wrappedFor('main'), config('derived', 'main'))
    const { key } = await ring.forWrite(scopeOf('photos', 'a//b'))
    t.ok(hex(key) === hex(deriveDataKey(derivationKey(keyOf('moto')), 'photos', 'a//b')))
    t.match(await open(await wrappedFor('other'), config('derived', 'main')), {
      problems: [{ path: /versions\[0\]\.wrappedKey$/, message: /denied by KMS.*InvalidCiphertextException/ }],
    })
  })

  t.test('the start fails where KMS is away, and at once where it denies', async (t) => {
    t.teardown(() => (front.behaviour = 'pass'))
    const contents = await wrappedFor('main')
    front.behaviour = kmsError(500, 'KMSInternalException')
    t.match(await open(contents, config('derived', 'main')), {
      problems: [{ message: /KMSInternalException.*network/ }],
    })
    front.behaviour = kmsError(400, 'DisabledException', 'is disabled')
    front.calls.length = 0
    t.match(await open(contents, config('derived', 'main')), {
      problems: [{ message: /DisabledException: is disabled/ }],
    })
    t.equal(front.calls.length, 1)
  })

  t.test(
    'the recovery commands of docs/keys.md give the keys, with the AWS CLI and without this program',
    async (t) => {
      const aws = fileURLToPath(new URL('../../node_modules/.cache/ssec-proxy-e2e/python/bin', import.meta.url))
      const doc = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8')
      const blocks = Array.from(doc.matchAll(/^```sh\n(.*?)\n```$/gms), ([, block]) => block!)
      const recover = async (start: string, env: Readonly<Record<string, string>>) => {
        const block = blocks.filter((one) => one.startsWith(start))
        t.equal(block.length, 1, start)
        const { stdout } = await runWell('bash', ['-ec', block[0]!.replace('2026-11-23-def9f2', 'v1')], {
          recorded: 'no',
          cwd: t.testdir({}),
          env: {
            PATH: `${aws}:/usr/bin:/bin`,
            AWS_ACCESS_KEY_ID: credentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: SECRET,
            AWS_DEFAULT_REGION: region,
            AWS_ENDPOINT_URL: `http://127.0.0.1:${backendPort}`,
            ...env,
          },
        })
        return stdout.toString().trim()
      }
      const contents = await wrappedFor('main')
      if (contents.type !== 'derived' || contents.versions[0]?.type !== 'wrapped') throw new Error('is not wrapped')
      const wrappedKey = contents.versions[0].wrappedKey.toString('base64')
      const plain = await recover('printf %s "$WRAPPED_KEY"', { WRAPPED_KEY: wrappedKey, KMS_KEY_ID: wrapping })
      t.ok(plain === bytesOf('moto').toString('base64'))
      // The document says: put it into a copy of the file in place of wrappedKey and kmsKeyId, and go on with the script.
      const [script] = Array.from(doc.matchAll(/^```python\n(.*?)\n```$/gms), ([, block]) => block!)
      for (const type of ['derived', 'fixed'] as const) {
        const written = JSON.parse(formatKeyringFile({ ...contents, type })) as { versions: Record<string, unknown>[] }
        const versions = written.versions.map(({ wrappedKey, kmsKeyId, ...rest }) => {
          t.ok(wrappedKey !== undefined && kmsKeyId !== undefined)
          return { ...rest, key: plain }
        })
        const cwd = t.testdir({ 'recover.py': script!, 'copy.json': JSON.stringify({ ...written, versions }) })
        const args = ['recover.py', 'copy.json', 'photos', 'a//b']
        const { stdout } = await runWell('python3', args, { recorded: 'no', cwd })
        const expected =
          type === 'fixed' ? keyOf('moto') : deriveDataKey(derivationKey(keyOf('moto')), 'photos', 'a//b')
        t.ok(stdout.toString().includes(`customer-key: ${expected.export().toString('base64')}\n`), type)
      }
      const ring = await opened(macs, config('kms-mac', 'mac'))
      for (const objectKey of ['2026/cat.jpg', 'a//b', 'caf\u00e9 %2F/']) {
        const { key } = await ring.forWrite(scopeOf('photos', objectKey))
        const env = { BUCKET: 'photos', OBJECT_KEY: objectKey, KMS_KEY_ID: macKey }
        t.ok((await recover("printf 'ssec-proxy/v1", env)) === key.export().toString('base64'), objectKey)
      }
      t.equal(await recover('printf ssec-proxy/check/v1 > label', {}), checkOfMac(label.bytes))
      const made = await recover('printf %s "$KEY"', { KEY: bytesOf('moto').toString('base64') })
      const version = { ...contents.versions[0], wrappedKey: Buffer.from(made, 'base64'), kmsKeyId: 'alias/backups' }
      await opened({ ...contents, versions: [version] }, config('derived', 'main'))
    },
  )

  const origin = await startTestOrigin()
  t.teardown(() => origin.close())
  const { ca, port } = originServer(origin)
  const upstream = { port, ca, region: 'us-east-1', ...ORIGIN_CREDENTIALS }
  const direct = { host: 'localhost', ...upstream }
  const behind = async (t: Test, keyring: Keyring) => {
    const proxy = await startTestProxy(t, { upstream, keyrings: [keyring], rules: [encryptedRule('*', keyring.name)] })
    return {
      host: 'localhost',
      port: proxy.port,
      ca: testCertificates().authority.cert,
      region: 'us-east-1',
      ...CLIENT,
    }
  }
  await s3(direct, 'PUT', '/photos')

  for (const [what, make] of [
    ['wrapped', async (ttlMs: number) => opened(await wrappedFor('main'), config('derived', 'main', { ttlMs }))],
    ['kms-mac', (ttlMs: number) => opened(macs, config('kms-mac', 'mac', { ttlMs }))],
  ] as const) {
    t.test(`${what}: a client writes and reads, and the store has nothing in the clear`, async (t) => {
      const side = await behind(t, await make(3_600_000))
      const body = Buffer.from(`secret of ${what}`)
      for (const name of [
        `${what}/a`,
        `${what}/a//b`,
        `${what}/a%2Fb`,
        `${what}/café/`,
        `${what}/`.padEnd(1024, 'k'),
      ]) {
        t.equal((await s3(side, 'PUT', pathOf('photos', name), { body })).status, 200)
        const read = await s3(side, 'GET', pathOf('photos', name))
        t.ok(read.status === 200 && read.body.equals(body))
        t.equal((await s3(direct, 'GET', pathOf('photos', name))).status, 400, 'not without its key')
      }
    })
  }

  t.test('kms-mac: KMS goes away, throttles, denies while clients go on', async (t) => {
    t.teardown(() => (front.behaviour = 'pass'))
    const side = await behind(t, await opened(macs, config('kms-mac', 'mac')))
    let names = 0
    const put = (name: string) => s3(side, 'PUT', `/photos/mid/${name}`, { body: Buffer.from('x') })
    t.equal((await put('warm')).status, 200)
    for (const [behaviour, status, code] of [
      ['silence', 503, 'ServiceUnavailable'],
      [kmsError(500, 'KMSInternalException'), 503, 'ServiceUnavailable'],
      [kmsError(400, 'ThrottlingException'), 503, 'SlowDown'],
      [kmsError(400, 'DisabledException', 'arn is disabled'), 403, 'AccessDenied'],
    ] as const) {
      front.behaviour = behaviour
      const cold = await put(`cold-${code}`)
      t.equal(cold.status, status, code)
      t.match(cold.body.toString(), `<Code>${code}</Code>`)
      t.notMatch(cold.body.toString(), /Disabled|KMS/, 'the reason is not for the client')
      if (status === 503) t.equal(cold.headers['retry-after'], '1')
      t.equal((await s3(direct, 'HEAD', `/photos/mid/cold-${code}`)).status, 404, 'and nothing was written')
      t.equal((await s3(side, 'GET', '/photos/mid/warm')).status, 200, 'what is remembered goes on')
      front.behaviour = 'pass'
      // Another name each time, or it would be one that is remembered.
      for (const end = Date.now() + 60_000; (await put(`again-${names++}`)).status !== 200;) {
        if (Date.now() > end) throw new Error('KMS is back and clients are not')
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  })

  t.test('a key that is disabled mid-run works to the end of its ttl and no longer', async (t) => {
    t.teardown(() => (front.behaviour = 'pass'))
    const ttlMs = 4000
    const side = await behind(t, await opened(await wrappedFor('main'), config('derived', 'main', { ttlMs })))
    const put = () => s3(side, 'PUT', '/photos/disabled', { body: Buffer.from('x') })
    t.equal((await put()).status, 200)
    front.behaviour = kmsError(400, 'DisabledException', 'is disabled')
    await new Promise((resolve) => setTimeout(resolve, ttlMs + 200))
    t.equal((await put()).status, 403)
  })
}
