import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { runCommandLine } from '../../src/cli/main.js'
import { freePorts } from '../support/free-ports.js'

/** The command line in this process; `printed` may end it, as Ctrl-C would. */
function commandLine(args: readonly string[], printed: (text: string, stop: () => void) => void = () => undefined) {
  let stop: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const out: string[] = []
  const err: string[] = []
  const io = {
    stdout: (text: string) => {
      out.push(text)
      printed(text, stop)
    },
    stderr: (text: string) => void err.push(text),
    env: {},
    now: () => new Date(),
    randomBytes: (size: number) => randomBytes(size),
  }
  const world = { stop: () => stopped, onReload: () => undefined, terminal: 'none' } as const
  return runCommandLine(args, io, world, '1.2.3').then((code) => ({ code, out: out.join(''), err: err.join('') }))
}

async function quickstart(directory: string) {
  const [port, originPort] = await freePorts(2)
  const args = ['quickstart', '--directory', directory, '--port', String(port), '--origin-port', String(originPort)]
  return commandLine(args, (text, stop) => {
    if (text.includes('Ctrl-C')) stop()
  })
}

t.test('the quickstart checks itself, prints commands and keeps what it made', async (t) => {
  const directory = join(t.testdir(), 'made')
  const first = await quickstart(directory)
  t.equal(first.code, 0, first.err)
  t.equal(first.out.match(/^ {2}ok/gm)?.length, 4, first.out)
  for (const command of ['curl --cacert', 'aws --ca-bundle', 'rclone --ca-cert']) t.match(first.out, command)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  for (const name of readdirSync(directory)) t.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  const secrets = ['client-secret', 'origin-secret'].map((name) => readFileSync(join(directory, name), 'utf8'))
  const keyring = readFileSync(join(directory, 'keyring.json'), 'utf8')
  secrets.push((JSON.parse(keyring) as { versions: { key: string }[] }).versions[0]!.key)
  for (const secret of secrets) t.notOk(first.out.includes(secret), 'no secret is printed')
  const second = await quickstart(directory)
  t.equal(second.code, 0, second.err)
  t.equal(readFileSync(join(directory, 'keyring.json'), 'utf8'), keyring, 'a second run opens what the first one wrote')
})

t.test('a port in use is one clear line and a non-zero exit', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  t.teardown(() => taken.close())
  const port = String((taken.address() as AddressInfo).port)
  const [free] = await freePorts(1)
  const directory = t.testdir()
  const proxy = await commandLine([
    'quickstart',
    '--directory',
    directory,
    '--port',
    port,
    '--origin-port',
    String(free),
  ])
  t.equal(proxy.code, 1)
  t.match(proxy.err, /^ssec-proxy: listener https 127\.0\.0\.1:\d+: address already in use; [^\n]+\n$/)
  const origin = await commandLine(['start', '--directory', directory, '--port', String(free), '--origin-port', port])
  t.equal(origin.code, 1)
  t.match(origin.err, /^ssec-proxy: embedded S3 on 127\.0\.0\.1:\d+: address already in use; [^\n]+\n$/)
})

t.test('a wrong key file stops the start', async (t) => {
  const directory = join(t.testdir(), 'made')
  await quickstart(directory)
  const file = join(directory, 'keyring.json')
  const keyring = JSON.parse(readFileSync(file, 'utf8')) as { versions: { check: string }[] }
  const version = keyring.versions[0]!
  version.check = version.check.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
  writeFileSync(file, JSON.stringify(keyring))
  const served = await commandLine(['serve', '--config', join(directory, 'ssec-proxy.yaml')])
  t.equal(served.code, 1)
  t.match(served.err, /^ssec-proxy: .*keyring\.json: versions\[0\].*\n$/)
})

t.test('help, version, and what is not understood', async (t) => {
  t.equal((await commandLine(['--version'])).out, '1.2.3\n')
  for (const args of [
    ['--help'],
    ['serve', '--help'],
    ['quickstart', '--help'],
    ['check', '--help'],
    ['keys', 'generate', '--help'],
    ['keys', 'headers', '--help'],
  ]) {
    const { code, out } = await commandLine(args)
    t.equal(code, 0, args.join(' '))
    t.match(out, 'Usage: ssec-proxy')
  }
  const unknown = await commandLine(['sevre'])
  t.not(unknown.code, 0)
  t.match(unknown.err, 'serve')
  const port = await commandLine(['quickstart', '--port', '0'])
  t.not(port.code, 0)
  t.match(port.err, 'a port is 1 to 65535')
  const missing = await commandLine(['serve', '--config', '/nowhere/at-all.yaml'])
  t.equal(missing.code, 1)
  t.equal(missing.err, 'ssec-proxy: /nowhere/at-all.yaml: cannot be read: no such file\n')
})
