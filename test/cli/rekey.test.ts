import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { duration, openProgress } from '../../src/cli/progress.js'
import { processMarks } from '../../src/cli/process-marks.js'
import { checkOfMac, CHECK_LABEL } from '../../src/keyring/check-value.js'
import { mac } from '../keyring/fake-kms.js'
import { commandLine, proxyDocument, proxyFiles, type Said } from '../support/command-line.js'
import { startKmsFront, kmsError } from '../support/kms-front.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { registerKeyring } from '../support/record.js'
import { pathOf, s3 } from '../support/s3-client.js'

async function makeStand(t: Test, ...objects: readonly string[]) {
  const origin = await startTestOrigin()
  t.teardown(() => origin.close())
  const folder = t.testdir()
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const keyring = join(folder, 'keyring.json')
  await commandLine(['keys', 'generate', keyring, '--name', 'main', '--type', 'derived'])
  registerKeyring('master key', readFileSync(keyring, 'utf8'))
  for (const [name, text] of Object.entries(proxyFiles())) file(name, text)
  const config = file(
    'proxy.yaml',
    stringify(
      proxyDocument(
        origin.port,
        {},
        {
          keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
          rules: [
            { bucket: '*', keyring: 'main' },
            { bucket: '*', prefix: 'public/', keyring: 'none' },
          ],
        },
      ),
    ),
  )
  for (const name of objects) {
    await s3({ port: origin.port, ...ORIGIN_CREDENTIALS }, 'PUT', pathOf('bucket', name), { body: name })
  }
  const journal = join(folder, 'journal')
  const command = (name: string, ...args: readonly string[]) =>
    commandLine([name, ...args, '--config', config, '--journal', journal])
  return { origin, folder, file, config, keyring, journal, command }
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
    [['rekey', 'bucket'], /must be s3:\/\/BUCKET or s3:\/\/BUCKET\/PREFIX/],
    [['rekey', 's3://bucket/public/x'], /its rule says `keyring: none`; name a keyring there first\n$/],
    [['rekey', 's3://no-such-bucket'], /NoSuchBucket \(status 404\); check the name of the bucket\n/],
    [['rekey', 's3://../x'], /names a bucket that cannot be/],
    [['rekey', 's3://bucket', '--concurrency', '0'], /must be a whole number from 1 to 1000/],
    [['rekey', 's3://bucket', '--part-size', '6GiB'], /must be a size such as 512MiB, at most 5GiB/],
    [['rekey', 's3://bucket', '--multipart-above', '6TiB'], /must be a size such as 512MiB, at most 5TiB/],
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

t.test('a journal that is damaged, is somebody’s at the moment, or cannot be written is one clear line', async (t) => {
  const stand = await makeStand(t, 'a')
  const told = async (): Promise<string> => {
    const { code, out, err } = await stand.command('encrypt', 's3://bucket')
    t.strictSame([code, out], [1, ''])
    t.equal(err.trim().split('\n').length, 1, err)
    return err
  }
  writeFileSync(stand.journal, 'a diary\n')
  t.match(await told(), `ssec-proxy: ${stand.journal}: is not a journal; name another with --journal`)
  t.equal(readFileSync(stand.journal, 'utf8'), 'a diary\n')
  writeFileSync(`${stand.journal}.lock`, JSON.stringify(processMarks().own))
  t.match(await told(), `${stand.journal}.lock: this journal is used by another run`)
  t.ok(existsSync(`${stand.journal}.lock`), 'the lock of another is not taken away')
  const elsewhere = ['--config', stand.config, '--journal', join(stand.folder, 'no/such/folder')]
  const { code, err } = await commandLine(['encrypt', 's3://bucket', ...elsewhere])
  t.strictSame([code, /folder\.lock: cannot be made \(ENOENT\)/.test(err)], [1, true], err)
})

t.test('what the credentials may not do is said before an object is touched, or for each object', async (t) => {
  const stand = await makeStand(t, 'a', 'b')
  const denied = { type: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } as const
  const denying = async (isDenied: (method: string, target: string) => boolean): Promise<Said> => {
    stand.origin.faults.intercept = ({ method, target }) => (isDenied(method, target) ? denied : { type: 'proceed' })
    return stand.command('encrypt', 's3://bucket')
  }
  const list = await denying((method, target) => method === 'GET' && target.includes('list-type=2'))
  t.equal(list.code, 1)
  t.match(list.out, /Stopped: listing s3:\/\/bucket\/: .*AccessDenied \(status 403\); the credentials under upstream/)
  const write = await denying((method) => method === 'PUT')
  t.match(write, {
    code: 1,
    out: '',
    err: /writing a probe object under a customer key: .*SSE-C is blocked on the bucket/,
  })
  const remove = await denying((method) => method === 'DELETE')
  t.match(remove, { code: 0, err: /warning: the probe object \S+ could not be removed; delete it/ })
  stand.origin.resetFaults()
  const head = await makeStand(t, 'a', 'b')
  head.origin.faults.intercept = ({ method, target }) =>
    method === 'HEAD' && target === '/bucket/a' ? { ...denied, body: '' } : { type: 'proceed' }
  const one = await head.command('encrypt', 's3://bucket', '--json')
  t.equal(one.code, 1)
  t.match(JSON.parse(one.out), {
    end: 'done',
    listed: 2,
    moved: 1,
    failed: 1,
    failures: [{ objectKey: 'a', reason: /refuses to show it \(HEAD: 403\): the credentials may not read it/ }],
  })
})

t.test('a prefix with nothing under it is no failure, and says so', async (t) => {
  const stand = await makeStand(t, 'a')
  const text = await stand.command('encrypt', 's3://bucket/nothing/')
  t.match(text, {
    code: 0,
    out: /^encrypt "s3:\/\/bucket\/nothing\/" to main \S+\n {2}0 objects listed\n {2}0 encrypted/,
  })
  const json = await stand.command('encrypt', 's3://bucket/nothing/', '--json')
  t.equal(json.code, 0)
  t.strictSame(Object.keys(JSON.parse(json.out) as object).sort(), FIELDS, 'what programs may count on')
})

const FIELDS = [
  ...['already', 'bucket', 'changed', 'command', 'dryRun', 'end', 'failed', 'failures', 'listed', 'moved'],
  ...['movedBytes', 'prefix', 'remains', 'requests', 'seconds', 'skipped', 'skippedBecause', 'targets', 'upstream'],
]

t.test('Ctrl-C lets what has begun end: exit code 130, and the next run goes on', async (t) => {
  const names = Array.from({ length: 30 }, (_, i) => `object ${i}`)
  const stand = await makeStand(t, ...names)
  let stop: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  let copies = 0
  stand.origin.faults.intercept = ({ fields }) => {
    if (fields.has('x-amz-copy-source')) copies += 1
    if (copies === 8) stop()
    return { type: 'proceed' }
  }
  const args = ['encrypt', 's3://bucket', '--config', stand.config, '--journal', stand.journal, '--concurrency', '2']
  const first = await commandLine(args, { stop: () => stopped })
  t.equal(first.code, 130)
  t.match(first.err, /stopping: what has begun is finished first\n.*The same command goes on from /s)
  t.match(first.out, /\nInterrupted before the end\.\n/)
  t.notOk(existsSync(`${stand.journal}.lock`))
  const second = await commandLine([...args, '--json'])
  t.equal(second.code, 0, second.err)
  t.match(second.err, /^going on from .*: [1-9]\d* objects, 0 failed\n/)
  t.match(JSON.parse(second.out), { listed: 30, moved: 30 })
})

t.test('a key version that is pending is told before it ends the run', async (t) => {
  const stand = await makeStand(t, 'a')
  const rotated = await commandLine(['keys', 'rotate', stand.keyring, '--activate-in', '1h'])
  t.equal(rotated.code, 0, rotated.err)
  registerKeyring('master key', readFileSync(stand.keyring, 'utf8'))
  const { code, err } = await stand.command('encrypt', 's3://bucket')
  t.equal(code, 0)
  t.match(err, /^ssec-proxy: warning: key version \S+ of main becomes active at 20\S+Z, which ends this run\n/)
})

t.test('a terminal gets a bar that is gone in the end, and everything else gets lines', async (t) => {
  const stand = await makeStand(t, 'a', 'b', 'c')
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120, rows: 24 })
  let drawn = ''
  terminal.on('data', (chunk: Buffer) => (drawn += chunk.toString()))
  const args = ['encrypt', 's3://bucket', '--config', stand.config, '--journal', stand.journal]
  const { code, out, err } = await commandLine(args, { terminal: terminal as unknown as NodeJS.WriteStream })
  t.equal(code, 0)
  t.match(drawn, /encrypt .*objects, .*\/s/)
  t.match(drawn, '\u001b[?25h', 'the cursor is back')
  t.notMatch(out + err, '\u001b', 'and what may go into a file has none of it')
  const lines: string[] = []
  let tick: () => void = () => undefined
  t.intercept(globalThis, 'setInterval', {
    value: (run: () => void) => {
      tick = run
      return { unref: () => undefined }
    },
  })
  let now = 0
  const stderr = (text: string) => void lines.push(text)
  const bar = openProgress({ terminal: 'none', stderr, title: 'rekey', before: 100, monotonic: () => now })
  now = 10_000
  bar.done(150)
  tick()
  bar.total(1100)
  tick()
  t.strictSame(lines, ['rekey: 150 objects, 5/s, still counting\n', 'rekey: 150 of 1100 objects, 5/s, 3m10s to go\n'])
})

t.test('a keyring whose master keys stay in KMS', async (t) => {
  const stand = await makeStand(t, 'a', 'b')
  const kms = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { KeyId, Message } = JSON.parse(Buffer.concat(chunks).toString()) as { KeyId: string; Message: string }
      const Mac = mac(KeyId, Buffer.from(Message, 'base64')).toString('base64')
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      response.end(JSON.stringify({ KeyId, Mac, MacAlgorithm: 'HMAC_SHA_256' }))
    })
  })
  await new Promise<void>((resolve) => kms.listen(0, '127.0.0.1', resolve))
  t.teardown(() => kms.close())
  const front = await startKmsFront((kms.address() as AddressInfo).port)
  t.teardown(front.close)
  const version = (id: string, state: string) => ({
    id,
    created: `2026-11-2${id.slice(1)}T00:00:00Z`,
    state,
    kmsKeyId: arn(id),
    check: checkOfMac(mac(arn(id), CHECK_LABEL)),
  })
  const keyring = (versions: readonly object[]) =>
    stand.file('mac.json', JSON.stringify({ format: 'ssec-proxy-keyring/1', name: 'mac', type: 'kms-mac', versions }))
  const yaml = parse(readFileSync(stand.config, 'utf8')) as object
  const kmsConfig = {
    region: 'eu-central-1',
    endpoint: `https://localhost:${front.port}`,
    ca: 'ca.crt',
    credentials: { accessKeyId: 'KMS', secretAccessKey: { file: 'secret' } },
  }
  const config = stand.file(
    'kms.yaml',
    stringify({
      ...yaml,
      keyrings: [{ name: 'mac', type: 'kms-mac', file: 'mac.json', kms: kmsConfig }],
      rules: [{ bucket: '*', keyring: 'mac' }],
    }),
  )
  const command = (name: string) =>
    commandLine([name, 's3://bucket', '--config', config, '--journal', join(stand.folder, name), '--json'])
  keyring([version('v1', 'active')])
  const encrypted = await command('encrypt')
  t.equal(encrypted.code, 0, encrypted.err)
  keyring([version('v1', 'readable'), version('v2', 'active')])
  front.behaviour = kmsError(400, 'AccessDeniedException')
  const denied = await command('rekey')
  t.equal(denied.code, 1)
  t.match(denied.err, /mac\.json: versions\[0\]\.kmsKeyId: is denied by KMS .*AccessDeniedException/)
  front.behaviour = 'pass'
  const moved = await command('rekey')
  t.equal(moved.code, 0, moved.err)
  t.match(JSON.parse(moved.out), { targets: ['mac v2'], listed: 2, moved: 2 })
  t.match(JSON.parse((await command('rekey')).out), { listed: 2, already: 2 })
})

const arn = (id: string): string =>
  `arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000${id.slice(1)}`
