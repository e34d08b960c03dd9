import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { duration } from '../../src/cli/progress.js'
import { runCommandLine } from '../../src/cli/main.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { registerKeyring, registerSecret } from '../support/record.js'
import { pathOf, s3 } from '../support/s3-client.js'

interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function commandLine(args: readonly string[]): Promise<Said> {
  const out: string[] = []
  const err: string[] = []
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    env: {},
    now: () => new Date(),
    randomBytes: (size: number) => randomBytes(size),
  }
  const world = { stop: () => new Promise<void>(() => undefined), onReload: () => undefined, terminal: 'none' } as const
  const code = await runCommandLine(args, io, world, '1.2.3')
  return { code, out: out.join(''), err: err.join('') }
}

async function makeStand(t: Test, ...objects: readonly string[]) {
  const origin = await startTestOrigin()
  t.teardown(() => origin.close())
  const folder = t.testdir()
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  registerSecret('upstream', ORIGIN_CREDENTIALS.secretAccessKey)
  const keyring = join(folder, 'keyring.json')
  await commandLine(['keys', 'generate', keyring, '--name', 'main', '--type', 'derived'])
  registerKeyring('master key', readFileSync(keyring, 'utf8'))
  file('ca.crt', testCertificates().authority.cert)
  file('secret', ORIGIN_CREDENTIALS.secretAccessKey)
  file('proxy.crt', testCertificates().leaf.cert)
  file('proxy.key', testCertificates().leaf.key)
  const config = file(
    'proxy.yaml',
    stringify({
      listeners: [{ https: { port: 0, cert: 'proxy.crt', key: 'proxy.key' } }],
      upstream: {
        endpoint: `https://localhost:${origin.port}`,
        region: 'us-east-1',
        ca: 'ca.crt',
        credentials: { accessKeyId: ORIGIN_CREDENTIALS.accessKeyId, secretAccessKey: { file: 'secret' } },
      },
      identities: [
        {
          name: 'app',
          accessKeyId: 'APP',
          secretAccessKey: { file: 'secret' },
          grants: [{ bucket: '*', permissions: ['read'] }],
        },
      ],
      keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
      rules: [
        { bucket: '*', keyring: 'main' },
        { bucket: '*', prefix: 'public/', keyring: 'none' },
      ],
    }),
  )
  for (const name of objects) {
    await s3({ port: origin.port, ...ORIGIN_CREDENTIALS }, 'PUT', pathOf('bucket', name), { body: name })
  }
  const journal = join(folder, 'journal')
  const command = (name: string, ...args: readonly string[]) =>
    commandLine([name, ...args, '--config', config, '--journal', journal])
  return { origin, folder, config, keyring, journal, command }
}

t.test('encrypts a bucket, rotates, and moves it to the new key version', async (t) => {
  const stand = await makeStand(t, 'a', 'é\u001b[31m', 'public/open')
  const dry = await stand.command('encrypt', 's3://bucket', '--dry-run')
  t.equal(dry.code, 0, dry.err)
  t.match(dry.out, /nothing was changed/)
  t.match(dry.out, /2 to be encrypted \(8 bytes\)/)
  t.notOk(existsSync(stand.journal), 'a dry run leaves no journal')
  const encrypted = await stand.command('encrypt', 's3://bucket', '--json', '--concurrency', '2')
  t.equal(encrypted.code, 0, encrypted.err)
  const told = JSON.parse(encrypted.out)
  t.match(told, { command: 'encrypt', end: 'done', listed: 3, moved: 2, already: 0, changed: 0, skipped: 1, failed: 0 })
  t.match(told, { skippedBecause: { 'plain-rule': 1 }, remains: { versioning: 'none', uploads: 0 } })

  t.equal((await commandLine(['keys', 'rotate', stand.keyring])).code, 0)
  registerKeyring('master key', readFileSync(stand.keyring, 'utf8'))
  const refused = await stand.command('rekey', 's3://bucket')
  t.equal(refused.code, 1)
  t.match(refused.err, /is the journal of something else \(command "encrypt" instead of "rekey"/)
  const other = ['--journal', join(stand.folder, 'second')]
  const moved = await commandLine(['rekey', 's3://bucket', '--config', stand.config, ...other])
  t.equal(moved.code, 0, moved.err)
  const [, active = ''] = /to main (\S+)/.exec(moved.out) ?? []
  t.match(readFileSync(stand.keyring, 'utf8'), active)
  t.match(moved.out, / {2}3 objects listed\n {2}2 moved \(8 bytes\)\n {2}1 skipped: their rule says `keyring: none`/)
  const again = await commandLine(['rekey', 's3://bucket', '--config', stand.config, ...other])
  t.match(again.out, /2 already under the active key version/)
  t.strictSame(
    readdirSync(stand.folder).filter((name) => name.endsWith('.lock')),
    [],
  )
})

t.test('what cannot be done is one clear line', async (t) => {
  const stand = await makeStand(t, 'a')
  for (const [args, message] of [
    [['rekey', 'bucket'], /^ssec-proxy: bucket: is not s3:\/\/BUCKET/],
    [['rekey', 's3://bucket/public/x'], /its rule says `keyring: none`; name a keyring there first\n$/],
    [['rekey', 's3://no-such-bucket'], /NoSuchBucket \(status 404\); check the name of the bucket\n/],
    [['rekey', 's3://../x'], /bucket is not valid/],
    [['rekey', 's3://bucket', '--concurrency', '0'], /must be a whole number from 1 to 1000/],
    [['rekey', 's3://bucket', '--part-size', '6GiB'], /must be a size such as 512MiB, at most 5GiB/],
    [['encrypt', 's3://bucket', '--acl', 'none'], /Allowed choices are keep, default/],
  ] as const) {
    const [name, ...rest] = args
    const { code, err } = await stand.command(name, ...rest)
    t.equal(code, 1, args.join(' '))
    t.match(err, message)
    t.ok(err.trim().split('\n').length <= 2, err)
  }
  stand.origin.faults.intercept = ({ fields }) =>
    fields.has('x-amz-copy-source')
      ? { type: 'answer', status: 501, body: '<Error><Code>NotImplemented</Code></Error>' }
      : { type: 'proceed' }
  const { code, err } = await stand.command('encrypt', 's3://bucket')
  t.equal(code, 1)
  t.match(err, /^ssec-proxy: the upstream cannot copy objects that are under a customer key/)
  for (const name of ['rekey', 'encrypt']) {
    const help = await commandLine([name, '--help'])
    t.equal(help.code, 0)
    for (const word of ['--dry-run', '--journal', 's3://BUCKET/PREFIX', 'docs/rekey.md']) t.match(help.out, word)
  }
})

t.test('failures are named, make the exit code and can be tried again', async (t) => {
  const stand = await makeStand(t, 'a', 'b', 'c')
  stand.origin.faults.intercept = ({ method, target, fields }) =>
    method === 'PUT' && target === '/bucket/b' && fields.has('x-amz-copy-source')
      ? { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
      : { type: 'proceed' }
  const first = await stand.command('encrypt', 's3://bucket')
  t.equal(first.code, 1)
  t.match(first.out, /2 encrypted.*1 failed\nFailed:\n {2}"b": CopyObject: AccessDenied, status 403\n/s)
  t.match(first.err, `The same command goes on from ${stand.journal}.`)
  stand.origin.resetFaults()
  const second = await stand.command('encrypt', 's3://bucket')
  t.equal(second.code, 0, second.err)
  t.match(second.err, /^going on from .*: 3 objects, all listed, 1 failed\n/)
  t.match(second.out, /3 objects listed\n {2}3 encrypted/)
})

t.test('durations as people read them', (t) => {
  t.strictSame([0.2, 61, 3600, 7505].map(duration), ['1s', '1m01s', '1h00m', '2h05m'])
  t.end()
})
