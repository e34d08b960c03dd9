// What those without Kubernetes get: the systemd unit, and the example for Docker Compose.
// what is parsed is looked at as it comes
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { registerKeyring, registerSecret } from '../support/record.js'
import { run, runWell } from '../support/run-program.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const temporary = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-deploy-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('the systemd unit', async (t) => {
  const text = readFileSync(join(root, 'config/ssec-proxy.service'), 'utf8')
  t.match(text, /^KillMode=mixed$/m, 'workers do not get the SIGTERM that the first process passes on')
  t.ok(Number(/^TimeoutStopSec=(\d+)s$/m.exec(text)?.[1]) > 30, 'more than the default of timeouts.drain')
  if (!existsSync('/usr/bin/systemd-analyze')) return t.pass('verify', { skip: 'there is no systemd-analyze' })
  const file = join(temporary(), 'ssec-proxy.service')
  const program = '/usr/local/bin/ssec-proxy'
  t.match(text, `ExecStart=${program} `)
  // verify wants the program to be there
  writeFileSync(file, text.replaceAll(program, process.execPath))
  const verified = await run('systemd-analyze', ['verify', file])
  t.equal(verified.code, 0, verified.stderr)
  t.equal(verified.stderr, '', 'no warnings')
  const { code, stdout } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', file])
  t.equal(code, 0, stdout.toString().trim().split('\n').at(-1) ?? '')
})

t.test('the example for Docker Compose', async (t) => {
  const folder = temporary()
  cpSync(join(root, 'examples/compose'), folder, { recursive: true })
  const prepare = () =>
    runWell(join(folder, 'prepare'), [], {
      env: { SSEC_PROXY: `${process.execPath} ${join(root, 'bin/ssec-proxy.js')}` },
      recorded: 'no',
    })
  await prepare()
  const made = (name: string): string => readFileSync(join(folder, 'made', name), 'utf8')
  const names = [
    'proxy/main.json',
    'proxy/client-secret-access-key',
    'proxy/minio-password',
    'ca.key',
    'minio/private.key',
  ]
  const before = names.map(made)
  registerKeyring('master key', made('proxy/main.json'))
  for (const name of names.slice(1, 3)) registerSecret('secret of the example', made(name).trim())

  const checked = await run(process.execPath, [
    join(root, 'bin/ssec-proxy.js'),
    'check',
    '--config',
    join(folder, 'made/proxy/ssec-proxy.yaml'),
  ])
  t.equal(checked.code, 0, checked.stderr)
  t.equal(checked.stderr, '', 'no warnings')
  for (const file of ['minio/public.crt', 'proxy/proxy.crt']) {
    await t.resolves(runWell('openssl', ['verify', '-CAfile', join(folder, 'made/ca.crt'), join(folder, 'made', file)]))
  }
  for (const name of names)
    t.equal(statSync(join(folder, 'made', name)).mode & 0o077, 0, `${name} is its owner's alone`)
  await prepare()
  t.same(names.map(made), before, 'what is there stays')

  const { services, secrets } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'))
  for (const { file } of Object.values<{ file: string }>(secrets)) t.ok(existsSync(join(folder, file)), file)
  for (const volume of [...services.minio.volumes, ...services['ssec-proxy'].volumes] as string[])
    t.ok(existsSync(join(folder, volume.split(':')[0] ?? '')), volume)
  t.match(services['ssec-proxy'], { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  t.match(readFileSync(join(folder, '.env'), 'utf8'), /^RUN_AS=\d+:\d+$/m)
  t.ok(existsSync(join(root, 'examples/compose', services['ssec-proxy'].build, 'Dockerfile')))
  const { upstream, listeners } = parse(readFileSync(join(folder, 'ssec-proxy.yaml'), 'utf8'))
  t.ok(upstream.endpoint.startsWith('https://minio:'), 'the name of the service')
  t.ok(services['ssec-proxy'].ports[0].endsWith(`:${listeners[0].https.port}`))
  t.ok(Number.parseInt(services['ssec-proxy'].stop_grace_period) > 30)
})
