import { createPrivateKey, createSecretKey, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import t, { type Test } from 'tap'
import { registerCheckCommand } from '../../src/cli/check.js'
import type { CliIo } from '../../src/cli/io.js'
import { checkValue } from '../../src/keyring/check-value.js'
import { formatKeyringFile } from '../../src/keyring/keyring-file.js'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'

const NOW = new Date('2026-11-23T12:00:00Z')
const SECRET = 'secret-that-is-never-shown'

const authority = makeAuthority({ now: NOW })
const pair = issueCertificate(authority, { hosts: ['s3.example.com', '*.s3.example.com'], now: NOW, days: 90 })
const otherPair = issueCertificate(authority, { hosts: ['elsewhere.example.com'], now: NOW, days: 90 })
const keys = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))] as const

const keyring = formatKeyringFile({
  type: 'derived',
  name: 'main',
  versions: [
    { type: 'plain', id: 'v1', state: 'readable', created: '2025-11-01T00:00:00Z', key: keys[0] },
    { type: 'plain', id: 'v2', state: 'active', created: '2026-11-01T00:00:00Z', key: keys[1] },
  ],
  retired: [],
})

const configuration = `listeners:
  - https: { port: 8443, cert: proxy.crt, key: proxy.key, clientCa: ca.crt }
  - http: { host: '::1', port: 9000, anonymous: guest }
baseDomains: [s3.example.com]
upstream:
  endpoint: https://s3.{region}.amazonaws.com
  region: learned
  ca: ca.crt
  credentials: { accessKeyId: UPSTREAM, secretAccessKey: { env: UPSTREAM_SECRET } }
identities:
  - name: app
    accessKeyId: APPCLIENT
    secretAccessKey: { env: APP_SECRET }
    grants: [{ bucket: logs-*, prefixes: [a/], permissions: [read, list] }]
  - name: guest
    anonymous: true
    grants: [{ bucket: '*', permissions: [read] }]
keyrings: [{ name: main, type: derived, file: main.json }]
rules:
  - { bucket: '*', keyring: main, plaintext: allow }
  - { bucket: logs, prefix: "odd\\e[31m/", keyring: none }
admin: { port: 9464 }
`

function setUp(t: Test, changes: Readonly<Record<string, string>> = {}): string {
  const directory = t.testdir({
    'proxy.yaml': configuration,
    'proxy.crt': pair.cert,
    'proxy.key': pair.key,
    'ca.crt': authority.cert,
    'main.json': keyring,
    ...changes,
  })
  chmodSync(join(directory, 'main.json'), 0o600)
  return directory
}

async function run(directory: string, now = NOW) {
  let stdout = ''
  let stderr = ''
  const io: CliIo = {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    env: { APP_SECRET: SECRET, UPSTREAM_SECRET: SECRET },
    now: () => now,
    randomBytes,
  }
  const exit = { code: 0 }
  const program = new Command().exitOverride()
  registerCheckCommand(program, io, exit)
  await program.parseAsync(['check', '--config', join(directory, 'proxy.yaml')], { from: 'user' })
  return { code: exit.code, stdout, stderr: stderr.replaceAll(directory, 'DIR') }
}

t.test('ok, and what the configuration comes to', async (t) => {
  const directory = setUp(t)
  const { code, stdout, stderr } = await run(directory)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(
    stdout,
    `ok
listeners:
  https://0.0.0.0:8443, client certificates required
  http://[::1]:9000, without a signature as guest
  metrics and health checks on 127.0.0.1:9464
  buckets before s3.example.com
upstream:
  https://s3.{region}.amazonaws.com:443, path style
  region learned per bucket, us-east-1 first
  credentials: an access key
  certificates of the CAs in ${JSON.stringify(join(directory, 'ca.crt'))} only
identities:
  app
    logs-* under "a/": read, list
  guest, anonymous
    *: read
keyrings:
  main, derived
    v1: readable, check value ${checkValue(keys[0])}
    v2: active, check value ${checkValue(keys[1])}
rules:
  *: main, plain objects may be read
  logs under "odd\\u001b[31m/": in the clear
`,
  )
})

t.test('no secret and no key is shown, in order or not', async (t) => {
  const bytes = keys.flatMap((key) => [key.export().toString('base64'), key.export().toString('hex')])
  const broken = keyring.replace('"active"', '"readable"')
  for (const changes of [
    {},
    { 'main.json': broken },
    { 'proxy.key': otherPair.key },
    { 'main.json': keyring.slice(20) },
  ]) {
    const { stdout, stderr } = await run(setUp(t, changes))
    for (const secret of [SECRET, ...bytes, pair.key.slice(40, 80)]) t.notOk((stdout + stderr).includes(secret))
  }
})

t.test('every problem of the configuration, with its line', async (t) => {
  const wrong = configuration.replace('https://s3', 'http://s3').replace('keyring: main', 'keyring: mian')
  const { code, stdout, stderr } = await run(setUp(t, { 'proxy.yaml': wrong }))
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^upstream\.endpoint: must start with https:\/\/.* \(line 6\)$/m)
  t.match(stderr, /^rules\[0\]\.keyring: names no keyring; configured are main \(line 20\)$/m)
  t.match(stderr, /^DIR\/proxy\.yaml: 2 problems$/m)
})

t.test('a file that is not there is one line', async (t) => {
  const directory = setUp(t)
  rmSync(join(directory, 'proxy.yaml'))
  const { code, stderr } = await run(directory)
  t.equal(code, 1)
  t.equal(stderr, 'DIR/proxy.yaml: cannot be read: no such file\nDIR/proxy.yaml: 1 problem\n')
})

t.test('keyring files and TLS files are opened, and all their problems told together', async (t) => {
  const damaged = keyring.replace(/"check": "(.)/, (_, digit: string) => `"check": "${digit === '0' ? '1' : '0'}`)
  const { code, stdout, stderr } = await run(
    setUp(t, { 'proxy.key': otherPair.key, 'main.json': damaged, 'ca.crt': 'x' }),
  )
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^listeners\[0\]\.https\.key: DIR\/proxy\.key: is not the private key of the first certificate in /m)
  t.match(stderr, /^listeners\[0\]\.https\.clientCa: DIR\/ca\.crt: holds no PEM certificate$/m)
  t.match(stderr, /^upstream\.ca: DIR\/ca\.crt: holds no PEM certificate$/m)
  t.match(stderr, /^DIR\/main\.json: versions\[0\]\.check: /m)
  t.match(stderr, /4 problems$/m)
})

t.test('a keyring file that others can read is a warning', async (t) => {
  const directory = setUp(t)
  chmodSync(join(directory, 'main.json'), 0o644)
  const { code, stderr } = await run(directory)
  t.equal(code, 0)
  t.match(stderr, /^warning: DIR\/main\.json: .*chmod 600/)
})

const day = (days: number) => new Date(NOW.getTime() + days * 86_400_000)

t.test('certificates that hold no longer, not yet, or not for long', async (t) => {
  const directory = setUp(t)
  t.match(await run(directory, day(91)), {
    code: 1,
    stderr: /https\.cert: DIR\/proxy\.crt: the certificate expired on 2027-/,
  })
  t.match(await run(directory, day(-1)), { code: 1, stderr: /https\.cert: .* is not valid before 2026-11-23/ })
  t.match(await run(directory, day(80)), {
    code: 0,
    stderr: /^warning: .*proxy\.crt: the certificate expires on 2027-/,
  })
  t.match(await run(directory, day(70)), { code: 0, stderr: '' })
})

t.test('an expired intermediate is found behind a good certificate', async (t) => {
  const old = makeAuthority({ now: day(-400), days: 300 })
  const { code, stderr } = await run(setUp(t, { 'proxy.crt': `${pair.cert}\n${old.cert}` }))
  t.equal(code, 1)
  t.match(stderr, /certificate 2 of 2 expired on/)
})

t.test('a chain in the wrong order has another certificate first', async (t) => {
  const { stderr } = await run(setUp(t, { 'proxy.crt': `${authority.cert}\n${pair.cert}` }))
  t.match(stderr, /https\.key: .*is not the private key of the first certificate/)
})

t.test('keys and certificates that are none', async (t) => {
  const encrypted = createPrivateKey(pair.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString()
  t.match((await run(setUp(t, { 'proxy.key': encrypted }))).stderr, /https\.key: .* has a passphrase/)
  t.match((await run(setUp(t, { 'proxy.key': pair.cert }))).stderr, /https\.key: .* holds no PEM private key/)
  t.match((await run(setUp(t, { 'proxy.crt': pair.key }))).stderr, /https\.cert: .* holds no PEM certificate/)
  const torn = pair.cert.replace(/[A-Za-z0-9+/]{20}\n/, '\n')
  t.match((await run(setUp(t, { 'proxy.crt': torn }))).stderr, /https\.cert: .* the certificate cannot be read/)
})

t.test('a certificate that does not cover the buckets of a base domain is a warning', async (t) => {
  const { code, stderr } = await run(setUp(t, { 'proxy.crt': otherPair.cert, 'proxy.key': otherPair.key }))
  t.equal(code, 0)
  t.match(stderr, /^warning: listeners\[0\]\.https\.cert: .*does not cover \*\.s3\.example\.com/)
})

t.test('text around PEM blocks is no problem', async (t) => {
  const directory = setUp(t)
  writeFileSync(join(directory, 'proxy.crt'), `some text before\n${readFileSync(join(directory, 'proxy.crt'), 'utf8')}`)
  t.match(await run(directory), { code: 0 })
})
