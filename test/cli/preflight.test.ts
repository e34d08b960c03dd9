import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { readKeyringText } from '../../src/cli/keyring-storage.js'
import { loadConfig } from '../../src/config/load.js'
import { openKeyrings } from '../../src/keyring/create.js'
import { preflight } from '../../src/preflight.js'
import { StartError } from '../../src/server/start-error.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { commandLine, proxyDocument, proxyFiles } from '../support/command-line.js'
import { startTestOrigin } from '../support/origin.js'
import { registerKeyring } from '../support/record.js'

async function makeStand(t: Test) {
  const origin = await startTestOrigin()
  t.teardown(() => origin.close())
  const folder = t.testdir({ ...proxyFiles() })
  chmodSync(join(folder, 'proxy.key'), 0o600)
  const command = (...args: string[]) => commandLine(args, { stop: () => Promise.resolve() })
  const keyring = join(folder, 'keyring.json')
  await command('keys', 'generate', keyring, '--name', 'main', '--type', 'derived')
  registerKeyring('master key', readFileSync(keyring, 'utf8'))
  const configure = (mode: 'off' | 'warn' | 'require', rules = [{ bucket: 'bucket', keyring: 'main' }]): string => {
    const file = join(folder, `${mode}.yaml`)
    writeFileSync(
      file,
      stringify(
        proxyDocument(
          origin.port,
          { preflight: mode },
          {
            listeners: [{ http: { host: '127.0.0.1', port: 0 } }],
            keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
            rules,
            log: { level: 'silent' },
          },
        ),
      ),
    )
    return file
  }
  const lines: Record<string, unknown>[] = []
  const log = createLogger({
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  const world = { env: {}, now: () => new Date(), randomBytes: (size: number) => randomBytes(size) }
  const run = async (file: string): Promise<void> => {
    const loaded = loadConfig(file, {})
    if (loaded.type === 'problems') throw new Error(JSON.stringify(loaded.problems))
    const opened = await openKeyrings(loaded.config.keyrings, readKeyringText, world.now, 'none')
    if (opened.type === 'problems') throw new Error(JSON.stringify(opened.problems))
    await preflight(loaded.config, opened.opened, world, log)
  }
  const said = async (message: string): Promise<void> => {
    while (!lines.some(({ msg }) => msg === message)) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { origin, configure, command, run, lines, said }
}

t.test('off: nothing is asked', async (t) => {
  const { origin, configure, run, lines } = await makeStand(t)
  let asked = 0
  origin.faults.intercept = () => {
    asked += 1
    return { type: 'proceed' }
  }
  await run(configure('off'))
  t.equal(asked, 0)
  t.same(lines, [])
})

t.test('require: a start that may be, and one that may not', async (t) => {
  const { origin, configure, run, lines, command } = await makeStand(t)
  await run(configure('require'))
  t.match(lines.at(-1), { msg: 'preflight is done', failed: 0 })
  t.equal(origin.objects('bucket').length, 0)
  origin.setBlockedEncryptionTypes('bucket', ['SSE-C'])
  await t.rejects(run(configure('require')), StartError)
  t.match(
    lines.find(({ check }) => check === 'encryption'),
    { level: 'error', remedy: /put-bucket-encryption/ },
  )
  const refused = await command('serve', '--config', configure('require'))
  t.equal(refused.code, 1)
  t.match(refused.err, /ssec-proxy: preflight: encryption bucket: SSE-C is blocked.*; aws s3api put-bucket-encryption/)
  origin.setBlockedEncryptionTypes('bucket', [])
  t.equal((await command('serve', '--config', configure('require'))).code, 0)
})

t.test('warn: the start does not wait, and what is wrong is logged', async (t) => {
  const { origin, configure, run, lines, said } = await makeStand(t)
  origin.faults.ignoreCustomerKeys = true
  await run(configure('warn'))
  await said('preflight is done')
  t.match(
    lines.find(({ check }) => check === 'round trip'),
    { level: 'error', detail: /ignores customer keys/ },
  )
})

t.test('an upstream that is away', async (t) => {
  const { origin, configure, run, lines, said } = await makeStand(t)
  await origin.close()
  await t.rejects(run(configure('require')), /preflight: bucket bucket: no answer from the upstream/)
  await run(configure('warn'))
  await said('preflight is done')
  t.match(lines.at(-1), { failed: 1 })
})
