// The life of a key in KMS as an operator lives it: the command line's own processes, over TLS, against two servers of
// KMS's protocol, with credentials from every place that the AWS SDK's chain knows on one machine.
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { checkOf } from '../keyring/material.js'
import { freePorts } from '../support/free-ports.js'
import { kmsError, startKmsFront, type KmsFront } from '../support/kms-front.js'
import { GOLDEN_KEY, startLocalKms } from '../support/local-kms.js'
import { startMoto } from '../support/moto.js'
import { registerKeyring, registerSecret } from '../support/record.js'
import { plainEnvironment, run } from '../support/run-program.js'

const PROGRAM = fileURLToPath(new URL('../../bin/ssec-proxy.js', import.meta.url))
const SECRET = 'kms-commands-secret-not-real'
const REGION = 'eu-central-1'
const ENV = { AWS_ACCESS_KEY_ID: 'AKIAENVIRONMENT', AWS_SECRET_ACCESS_KEY: SECRET }

for (const { name, start } of [
  { name: 'moto', start: startMoto },
  { name: 'local-kms', start: startLocalKms },
] as const) {
  t.test(name, async (t) => {
    const started = await start()
    if (started.type === 'unavailable') return t.pass(name, { skip: started.reason })
    t.teardown(started.stop)
    registerSecret('secret access key for KMS', SECRET)
    const front = await startKmsFront(started.port)
    t.teardown(front.close)
    const admin = new KMSClient({
      region: REGION,
      endpoint: `http://127.0.0.1:${started.port}`,
      credentials: { accessKeyId: 'AKIAADMIN', secretAccessKey: SECRET },
    })
    t.teardown(() => admin.destroy())
    const keys = await makeKeys(admin)
    const place = folderOf(t, front)
    await wrapping(t, place, front, keys)
    await macs(t, place, keys)
    await faults(t, name, place, front, admin, keys)
    if (name === 'local-kms') await golden(t, place, front)
  })
}

const AES = 'alias/wrapping'
const MAC = 'alias/macs'

async function makeKeys(admin: KMSClient) {
  const made = async (more: object, AliasName: string) => {
    const { KeyMetadata } = await admin.send(new CreateKeyCommand(more))
    await admin.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata!.KeyId }))
    return KeyMetadata!.Arn!
  }
  return {
    aes: await made({}, AES),
    other: await made({}, 'alias/other'),
    mac: await made({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, MAC),
    mac2: await made({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'alias/macs-2'),
  }
}

/** moto tells ids where AWS tells ARNs, and takes no ARN to disable a key. */
const idOf = (arn: string) => arn.replace(/^.*\//, '')

type Keys = Awaited<ReturnType<typeof makeKeys>>
type Place = ReturnType<typeof folderOf>

function folderOf(t: Test, front: KmsFront) {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-kms-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, front.ca)
  const where = ['--kms-region', REGION, '--kms-endpoint', `https://localhost:${front.port}`, '--kms-ca', ca]
  const cli = async (args: readonly string[], env: Readonly<Record<string, string>> = ENV) => {
    const ran = await run(process.execPath, [PROGRAM, ...args], { env })
    return { code: ran.code, stdout: ran.stdout.toString(), stderr: ran.stderr }
  }
  return { folder, ca, where, cli, file: (name: string) => join(folder, name) }
}

const versionsOf = (file: string) =>
  (
    JSON.parse(readFileSync(file, 'utf8')) as {
      versions: { id: string; key?: string; wrappedKey?: string; kmsKeyId?: string; check: string; state: string }[]
    }
  ).versions

const configOf = (name: string, type: string, file: string, { ca }: Place, port: number, startTimeout = '2s') => `
listeners: [{ http: { port: 0, anonymous: anyone } }]
upstream:
  endpoint: https://s3.example.com
  region: ${REGION}
  credentials: { accessKeyId: AKIANOBODY, secretAccessKey: { env: UPSTREAM_SECRET } }
identities: [{ name: anyone, anonymous: true, grants: [{ bucket: '*', permissions: [read] }] }]
keyrings:
  - name: ${name}
    type: ${type}
    file: ${file}
    kms: { region: ${REGION}, endpoint: 'https://localhost:${port}', ca: ${ca}, credentials: default, startTimeout: ${startTimeout} }
rules: [{ bucket: '*', keyring: ${name} }]
`
const SERVE_ENV = { ...ENV, UPSTREAM_SECRET: 'not-real' }

async function wrapping(t: Test, place: Place, front: KmsFront, keys: Keys): Promise<void> {
  const { cli, where, file } = place
  const ring = file('main.json')
  const config = file('main.yaml')
  writeFileSync(config, configOf('main', 'derived', ring, place, front.port))
  await t.test('plain, rotated, wrapped, rotated, unwrapped: the same check values all the way', async (t) => {
    const made = await cli(['keys', 'generate', ring, '--name', 'main', '--type', 'derived', '--id', 'v1'], {})
    t.equal(made.code, 0, made.stderr)
    registerKeyring('master key', readFileSync(ring, 'utf8'))
    const [plain] = versionsOf(ring)
    const wrapped = await cli(['keys', 'wrap', ring, '--kms-key-id', AES, ...where])
    t.equal(wrapped.code, 0, wrapped.stderr)
    t.match(wrapped.stdout, `v1  check value ${plain!.check}  wrapped by ${keys.aes}`)
    t.match(versionsOf(ring), [{ id: 'v1', kmsKeyId: keys.aes, check: plain!.check }])
    t.notOk(readFileSync(ring, 'utf8').includes(plain!.key!))
    t.equal(statSync(ring).mode & 0o777, 0o600)
    t.match(await cli(['keys', 'rotate', ring, '--id', 'v2']), { code: 1, stderr: /wrapped by KMS: --config or/ })
    const rotated = await cli(['keys', 'rotate', ring, '--id', 'v2', '--config', config], SERVE_ENV)
    t.equal(rotated.code, 0, rotated.stderr)
    t.match(versionsOf(ring), [
      { id: 'v1', state: 'readable' },
      { id: 'v2', state: 'active', kmsKeyId: keys.aes },
    ])
    t.notOk('key' in versionsOf(ring)[1]!)
    t.match(await cli(['keys', 'verify', '--config', config], SERVE_ENV), {
      code: 0,
      stdout: /every key fits its check value\n(.*\n)*.*v2 +active .* wrapped arn:aws:kms:/,
    })
    const again = await cli(['keys', 'wrap', ring, '--kms-key-id', 'alias/other', '--rewrap', ...where])
    t.equal(again.code, 0, again.stderr)
    t.strictSame(
      versionsOf(ring).map(({ kmsKeyId }) => kmsKeyId),
      [keys.other, keys.other],
    )
    const safe = file('safe.json')
    t.match(await cli(['keys', 'unwrap', ring, ...where]), { code: 1, stderr: /--to FILE or --in-place/ })
    const unwrapped = await cli(['keys', 'unwrap', ring, '--to', safe, '--config', config], SERVE_ENV)
    t.equal(unwrapped.code, 0, unwrapped.stderr)
    registerKeyring('master key', readFileSync(safe, 'utf8'))
    t.ok(versionsOf(safe)[0]!.key === plain!.key)
    for (const { key, check } of versionsOf(safe)) t.equal(checkOf(Buffer.from(key!, 'base64')), check)
    t.equal(statSync(safe).mode & 0o777, 0o600)
    t.match(await cli(['keys', 'verify', safe], {}), { code: 0 })
  })
  await t.test('never in the clear: generated wrapped, and opened by a proxy', async (t) => {
    const born = file('born.json')
    const args = ['keys', 'generate', born, '--name', 'born', '--type', 'fixed', '--kms-key-id', AES, ...where]
    const made = await cli(args)
    t.equal(made.code, 0, made.stderr)
    t.match(made.stderr, /keys unwrap --to/)
    t.match(versionsOf(born), [{ state: 'active', kmsKeyId: keys.aes, wrappedKey: /=*$/ }])
    writeFileSync(file('born.yaml'), configOf('born', 'fixed', born, place, front.port))
    t.match(await cli(['keys', 'verify', '--config', file('born.yaml')], SERVE_ENV), { code: 0 })
    writeFileSync(born, readFileSync(born, 'utf8').replace('"born"', '"main"'))
    writeFileSync(file('born.yaml'), configOf('main', 'fixed', born, place, front.port))
    t.match(await cli(['keys', 'verify', '--config', file('born.yaml')], SERVE_ENV), {
      code: 1,
      stderr: /versions\[0\]\.wrappedKey: is denied by KMS .*InvalidCiphertextException/,
    })
  })
  await t.test('credentials: environment, shared files, a profile, and what answers like a container', async (t) => {
    const shared = file('credentials')
    const profileOf = (name: string, id: string) =>
      `[${name}]\naws_access_key_id=${id}\naws_secret_access_key=${SECRET}\n`
    writeFileSync(shared, profileOf('default', 'AKIADEFAULT') + profileOf('ops', 'AKIAOPS'), { mode: 0o600 })
    const agent = createServer((_, response) =>
      response.end(
        JSON.stringify({
          AccessKeyId: 'AKIACONTAINER',
          SecretAccessKey: SECRET,
          Token: 'token',
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      ),
    )
    await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve))
    t.teardown(() => agent.close())
    const files = { AWS_SHARED_CREDENTIALS_FILE: shared, AWS_CONFIG_FILE: '/dev/null' }
    const uri = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/`
    for (const [expected, env, more] of [
      ['AKIAENVIRONMENT', { ...ENV, ...files }, []],
      ['AKIADEFAULT', files, []],
      ['AKIAOPS', files, ['--kms-profile', 'ops']],
      ['AKIACONTAINER', { ...NO_FILES, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri }, []],
    ] as const) {
      front.calls.length = 0
      const copy = file(`of-${expected}.json`)
      const ran = await cli(['keys', 'unwrap', ring, '--to', copy, ...where, ...more], env)
      t.equal(ran.code, 0, ran.stderr)
      t.strictSame([...new Set(front.calls.map(({ accessKeyId }) => accessKeyId))], [expected])
    }
    const none = await cli(['keys', 'unwrap', ring, '--to', file('x'), ...where], {
      ...NO_FILES,
      AWS_EC2_METADATA_DISABLED: 'true',
    })
    t.match(none, { code: 1, stderr: /KMS is away .*CredentialsProviderError/ })
  })
}

const NO_FILES = { AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_CONFIG_FILE: '/dev/null' }

async function macs(t: Test, place: Place, keys: Keys): Promise<void> {
  const { cli, where, file } = place
  await t.test('kms-mac: made and rotated without writing a file by hand', async (t) => {
    const ring = file('mac.json')
    const generate = ['keys', 'generate', ring, '--name', 'mac', '--type', 'kms-mac']
    t.match(await cli(generate), { code: 1, stderr: /--kms-key-id is missing/ })
    t.match(await cli([...generate, '--kms-key-id', AES, ...where]), { code: 1, stderr: /KMS denies/ }, 'no HMAC key')
    const made = await cli([...generate, '--kms-key-id', MAC, '--id', 'm1', ...where])
    t.equal(made.code, 0, made.stderr)
    t.match(versionsOf(ring), [{ id: 'm1', state: 'active', kmsKeyId: idOf(keys.mac) }])
    const rotate = ['keys', 'rotate', ring, '--id', 'm2', ...where]
    t.match(await cli(rotate), { code: 1, stderr: /--kms-key-id names the new key of KMS/ })
    t.match(await cli([...rotate, '--kms-key-id', MAC]), { code: 1, stderr: /has this key already/ })
    t.match(await cli([...rotate, '--kms-key-id', 'alias/macs-2', '--activate-in', '10m']), { code: 0 })
    t.match(versionsOf(ring), [
      { id: 'm1', state: 'active' },
      { id: 'm2', state: 'pending', kmsKeyId: idOf(keys.mac2) },
    ])
    t.match(await cli(['keys', 'wrap', ring, '--kms-key-id', AES, ...where]), { code: 1, stderr: /never leave KMS/ })
  })
}

async function faults(
  t: Test,
  name: 'moto' | 'local-kms',
  place: Place,
  front: KmsFront,
  admin: KMSClient,
  keys: Keys,
): Promise<void> {
  const { cli, where, file } = place
  const ring = file('faults.json')
  const wrap = ['keys', 'wrap', ring, '--kms-key-id', AES]
  await t.test('what goes wrong is told, and leaves the file as it was', async (t) => {
    t.teardown(() => (front.behaviour = 'pass'))
    const made = await cli(['keys', 'generate', ring, '--name', 'faults', '--type', 'derived', '--id', 'v1'], {})
    t.equal(made.code, 0, made.stderr)
    registerKeyring('master key', readFileSync(ring, 'utf8'))
    const before = readFileSync(ring)
    const refused = async (args: readonly string[], stderr: RegExp, what: string) => {
      t.match(await cli(args), { code: 1, stdout: '', stderr }, what)
      t.ok(readFileSync(ring).equals(before), what)
    }
    await admin.send(new DisableKeyCommand({ KeyId: idOf(keys.aes) }))
    // moto lets one wrap with a key that is disabled; local-kms does not.
    if (name === 'moto') front.behaviour = kmsError(400, 'DisabledException', 'is disabled')
    await refused([...wrap, ...where], /v1: KMS denies .*(DisabledException|KMSInvalidState)/, 'a key that is disabled')
    front.behaviour = 'pass'
    await admin.send(new EnableKeyCommand({ KeyId: idOf(keys.aes) }))
    await refused(['keys', 'wrap', ring, '--kms-key-id', 'alias/no-such', ...where], /KMS denies .*NotFound/, 'no key')
    front.behaviour = kmsError(400, 'AccessDeniedException', 'User: arn:aws:iam::1:user/x is not authorized')
    await refused([...wrap, ...where], /KMS denies .*AccessDeniedException: User: arn/, 'no permission')
    front.behaviour = 'pass'
    const system = where.slice(0, -2)
    const [closed] = await freePorts(1)
    const config = file('faults.yaml')
    for (const [port, ca, reason, what] of [
      [front.port, '/etc/ssl/certs/ca-certificates.crt', /KMS is away .*(SELF_SIGNED|UNABLE_TO|ISSUER)/, 'another CA'],
      [closed!, place.ca, /KMS is away .*ECONNREFUSED/, 'nobody there'],
    ] as const) {
      writeFileSync(config, configOf('faults', 'derived', ring, { ...place, ca }, port, '1s'))
      const ran = await cli([...wrap, '--config', config], SERVE_ENV)
      t.match(ran, { code: 1, stderr: reason }, what)
      t.ok(readFileSync(ring).equals(before), what)
    }
    front.calls.length = 0
    await refused(
      [...wrap, ...system.slice(0, 2), '--kms-endpoint', 'http://localhost:1'],
      /must start with https/,
      'http',
    )
    const unsafe = await cli([...wrap, ...where], { ...ENV, NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    t.match(unsafe, { code: 1, stderr: /NODE_TLS_REJECT_UNAUTHORIZED/ })
    await refused(wrap, /where is KMS\?/, 'no KMS')
    t.equal(front.calls.length, 0, 'and nothing was sent')
  })
  await t.test('a proxy whose KMS is silent at a reload ends at SIGTERM all the same', async (t) => {
    t.teardown(() => (front.behaviour = 'pass'))
    t.equal((await cli([...wrap, ...where])).code, 0)
    const config = file('silent.yaml')
    writeFileSync(config, configOf('faults', 'derived', ring, place, front.port, '1m'))
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--config', config], {
      env: plainEnvironment(SERVE_ENV),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.on('data', (data: Buffer) => (out += data.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    const until = async (what: string, seen: () => boolean) => {
      const end = Date.now() + 30_000
      while (!seen()) {
        await delay(50)
        if (Date.now() > end || child.exitCode !== null) throw new Error(`${what}: ${out.slice(-500)}`)
      }
    }
    front.behaviour = kmsError(500, 'KMSInternalException')
    front.calls.length = 0
    await until('asked at the start', () => front.calls.length > 1)
    front.behaviour = 'pass'
    await until('KMS is back during the start', () => out.includes('"msg":"ready"'))
    front.behaviour = 'silence'
    front.calls.length = 0
    writeFileSync(ring, `${readFileSync(ring, 'utf8')}\n`)
    await until('asked for the changed file', () => front.calls.length > 0)
    const told = Date.now()
    child.kill('SIGTERM')
    t.equal(await ended, 0)
    const took = Date.now() - told
    t.ok(took < 10_000, `${took} ms`)
    t.notMatch(out, /new keyring file refused|could not be looked at/)
  })
}

/** A process cannot be given a zero byte; the rest of the vectors is for test/keyring. */
const CHOSEN = ['2026/11/cat.jpg', 'a//b', 'a%2Fb', '\u{1f511}/key', 'k'.repeat(1024)]

async function golden(t: Test, place: Place, front: KmsFront): Promise<void> {
  await t.test('kms-mac: the golden vectors, by a server that has the golden key', async (t) => {
    const { cli, where, file } = place
    const ring = file('golden.json')
    const args = ['--name', 'golden', '--type', 'kms-mac', '--kms-key-id', GOLDEN_KEY.alias, ...where]
    t.equal((await cli(['keys', 'generate', ring, ...args])).code, 0)
    const url = new URL('../vectors/keys/kms-mac-v1.json', import.meta.url)
    const { check, vectors } = JSON.parse(readFileSync(url, 'utf8')) as {
      check: string
      vectors: { bucketIdentity: string; objectKey: string; dataKey: string }[]
    }
    t.equal(versionsOf(ring)[0]!.check, check)
    const config = file('golden.yaml')
    writeFileSync(config, configOf('golden', 'kms-mac', ring, place, front.port))
    for (const { bucketIdentity, objectKey, dataKey } of vectors.filter((one) => CHOSEN.includes(one.objectKey))) {
      const { stdout, code } = await run(
        process.execPath,
        [PROGRAM, 'keys', 'headers', `s3://${bucketIdentity}/${objectKey}`, '--config', config, '--format', 'json'],
        { env: SERVE_ENV, recorded: 'no' },
      )
      const expected = Buffer.from(dataKey, 'hex').toString('base64')
      t.ok(code === 0 && stdout.toString().includes(expected), objectKey.slice(0, 20))
    }
  })
}
