import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import t from 'tap'
import type { CliIo } from '../../src/cli/io.js'
import { registerKeysCommands } from '../../src/cli/keys.js'
import { noProgress } from '../support/no-progress.js'
import { bytesOf, checkOf } from '../keyring/material.js'

async function run(...args: readonly string[]) {
  const exit = { code: 0 }
  let stdout = ''
  let stderr = ''
  let made = 0
  const io: CliIo = {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    env: {},
    now: () => new Date('2026-11-23T20:00:00Z'),
    randomBytes: (size) => bytesOf(`random ${args.join(' ')} ${made++}`).subarray(0, size),
  }
  const program = new Command('ssec-proxy').exitOverride().configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
  registerKeysCommands(program, io, exit, noProgress)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    exit.code = error.exitCode
  }
  return { code: exit.code, stdout, stderr }
}

t.test('from nothing to headers', async (t) => {
  const folder = t.testdir({
    'config.yaml': `
listeners: [{ http: { port: 0, anonymous: anyone } }]
upstream: { endpoint: 'https://s3.example.com', region: eu-central-1 }
identities: [{ name: anyone, anonymous: true, grants: [{ bucket: '*', permissions: [read] }] }]
keyrings: [{ name: main, type: derived, file: keys.json }]
rules: [{ bucket: '*', keyring: main }]
`,
  })
  const file = join(folder, 'keys.json')
  const made = await run('keys', 'generate', file, '--name', 'main', '--type', 'derived', '--id', 'v1')
  t.match(made, { code: 0, stdout: /active key version: v1\n/ })
  t.match(await run('keys', 'rotate', file, '--id', 'v2'), { code: 0, stdout: /active key version: v2\n/ })
  const headers = await run('keys', 'headers', 's3://photos/a', '--config', join(folder, 'config.yaml'))
  t.equal(headers.code, 0)
  t.match(headers.stdout, /^# keyring main, key version v2, which writes use\n-H "x-amz-/)
  const one = await run(
    'keys',
    'headers',
    's3://photos/a',
    '--config',
    join(folder, 'config.yaml'),
    '--key-version',
    'v1',
    '--format',
    'json',
  )
  t.match(JSON.parse(one.stdout), [{ keyring: 'main', keyVersion: 'v1', writes: false }])
  const { versions } = JSON.parse(readFileSync(file, 'utf8')) as { versions: { key: string; check: string }[] }
  t.ok(versions.every(({ key, check }) => checkOf(Buffer.from(key, 'base64')) === check))
  t.notOk(
    versions.some(({ key }) => `${made.stdout}${headers.stdout}`.includes(key)),
    'master keys are never printed',
  )
})

t.test('wrong usage is told, with a non-zero code', async (t) => {
  const folder = t.testdir({})
  const file = join(folder, 'keys.json')
  for (const args of [
    ['keys'],
    ['keys', 'generate'],
    ['keys', 'generate', file],
    ['keys', 'generate', file, '--name', 'main', '--type', 'objects'],
    ['keys', 'generate', file, '--name', 'main', '--type', 'derived', '--length', '16'],
    ['keys', 'generate', file, 'second', '--name', 'main', '--type', 'derived'],
    ['keys', 'generate', file, '--name', 'main', '--type', 'kms-mac'],
    ['keys', 'generate', file, '--name', 'main', '--type', 'derived', '--kms-region', 'eu-central-1'],
    ['keys', 'generate', file, '--name', 'main', '--type', 'derived', '--kms-key-id', 'alias/x'],
    ['keys', 'rotate', file, '--plain', '--kms-region', 'eu-central-1'],
    ['keys', 'wrap', file],
    ['keys', 'wrap', file, '--kms-key-id', 'alias/x'],
    ['keys', 'unwrap', file, '--kms-region', 'eu-central-1'],
    ['keys', 'unwrap', file, '--to', 'x', '--in-place', '--kms-region', 'eu-central-1'],
    ['keys', 'headers', 's3://photos/a'],
    ['keys', 'headers', 's3://photos/a', '--config', join(folder, 'gone.yaml')],
    ['keys', 'headers', 's3://photos/a', '--config', 'x', '--format', 'xml'],
  ]) {
    const { code, stdout, stderr } = await run(...args)
    t.not(code, 0, args.join(' '))
    t.equal(stdout, '')
    t.not(stderr, '')
  }
})

t.test('--help', async (t) => {
  t.match(await run('keys', '--help'), { code: 0, stdout: /generate.*headers.*wrap.*unwrap/s })
  t.match(await run('keys', 'rotate', '--help'), { code: 0, stdout: /--activate-in/ })
  t.match(await run('keys', 'headers', '--help'), { code: 0, stdout: /this\s+shows\s+its\s+data\s+keys/ })
})
