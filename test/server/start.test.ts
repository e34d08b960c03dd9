import t from 'tap'
import { LOOPBACK, answer, eventually, rawClient, start, temporaryFolder } from './harness.js'
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { type Server, createServer } from 'node:net'
import type { ListenerConfig } from '../../src/config/types.js'
import { StartError } from '../../src/server/start-error.js'
import { isLoopback } from '../../src/server/loopback.js'
import { join } from 'node:path'
import { listen } from '../../src/server/listen.js'
import { EventEmitter, once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { testCertificates } from '../support/certificates.js'

const { leaf } = testCertificates()
const unix = (path: string): ListenerConfig => ({ type: 'unix', path, anonymous: 'none' })
const https = (certFile: string, keyFile: string, given: Partial<ListenerConfig> = {}) =>
  ({
    ...{ type: 'https', host: '127.0.0.1', port: 0, tls: { certFile, keyFile }, clientCa: { type: 'none' } },
    ...given,
  }) as ListenerConfig

/** What the operator reads when these listeners cannot be opened. */
async function refusal(t: { teardown(end: () => unknown): void }, ...listeners: ListenerConfig[]): Promise<string> {
  try {
    await start(t, { listeners })
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return error.message
  }
  return 'started'
}

t.test('a port in use is one line, and what was open already is closed', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  const path = join(temporaryFolder(t), 'first.sock')
  t.equal(
    await refusal(t, unix(path), { ...LOOPBACK, port } as ListenerConfig),
    `listener http 127.0.0.1:${port}: address already in use; stop the program that has it or configure another port`,
  )
  t.notOk(existsSync(path))
})

t.test('addresses that cannot be had', async (t) => {
  const folder = temporaryFolder(t)
  const [cert, key] = [join(folder, 'c.pem'), join(folder, 'k.pem')]
  writeFileSync(cert, leaf.cert)
  writeFileSync(key, leaf.key)
  t.equal(
    await refusal(t, https(cert, key, { host: '192.0.2.1' })),
    'listener https 192.0.2.1:0: this machine has no such address',
  )
  t.match(await refusal(t, https(cert, key, { host: 'no-such-host.invalid' })), /no such host name/)
})

t.test('a low port without the right to it names the remedy', async (t) => {
  // Tests may run as root, whom nothing is denied.
  const denied = Object.assign(new Error('listen EACCES'), { code: 'EACCES' })
  const server = Object.assign(new EventEmitter(), { listen: () => server.emit('error', denied) })
  const attempt = (port: number) => listen(server as unknown as Server, { type: 'tcp', host: '::', port }, 'listener x')
  await t.rejects(attempt(443), {
    message: /^listener x: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE/,
  })
  await t.rejects(attempt(8443), { message: 'listener x: permission denied' })
})

t.test('certificate files that are not there or not right are named', async (t) => {
  const folder = temporaryFolder(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('c.pem'), leaf.cert)
  writeFileSync(at('k.pem'), leaf.key)
  writeFileSync(at('text'), 'text')
  t.equal(await refusal(t, https(at('none'), at('k.pem'))), `certificate ${at('none')}: no such file`)
  t.equal(await refusal(t, https(at('c.pem'), folder)), `key ${folder}: is a directory`)
  t.match(await refusal(t, https(at('c.pem'), at('text'))), /^key .*text: not a PEM private key/)
  t.match(await refusal(t, https(at('k.pem'), at('k.pem'))), /^certificate .*k\.pem: not a PEM certificate$/)
  const withCa = (file: string) => https(at('c.pem'), at('k.pem'), { clientCa: { type: 'file', file } })
  t.match(await refusal(t, withCa(at('none'))), /^client CA .*none: no such file$/)
  t.match(await refusal(t, withCa(at('text'))), /^client CA .*text: not a PEM certificate$/, 'not an empty list of CAs')
})

t.test('plain http is for loopback only, whatever the configuration let through', async (t) => {
  const outside = [
    '0.0.0.0',
    '::',
    '',
    '192.0.2.1',
    '10.0.0.1',
    '128.0.0.1',
    '::2',
    '::ffff:10.0.0.1',
    '127.1',
    'example.com',
  ]
  for (const host of outside) {
    const said = await refusal(t, { ...LOOPBACK, host } as ListenerConfig)
    t.match(said, /^listener http .*: plain http is for loopback addresses only; use https$/, host)
  }
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost']) {
    t.equal(await refusal(t, { ...LOOPBACK, host } as ListenerConfig), 'started', host)
  }
  t.ok(isLoopback('::1'))
})

t.test('a unix socket serves, is open to owner and group only, and is gone at the end', async (t) => {
  const path = join(temporaryFolder(t), 's3.sock')
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  const { listeners } = await start(t, {
    listeners: [{ type: 'unix', path, anonymous: 'app' }],
    handler: async (_request, response, { listener }) => answer(response, JSON.stringify(listener)),
  })
  t.equal(lstatSync(path).mode & 0o777, 0o660)
  t.equal(process.umask(0), 0, 'the umask is as it was')
  const client = rawClient(path)
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(await client.until(/}$/), `{"name":"unix ${path}","type":"unix","anonymous":"app"}`)
  t.strictSame(listeners.addresses, [
    { listener: { name: `unix ${path}`, type: 'unix', anonymous: 'app' }, address: path },
  ])
  client.socket.destroy()
  await listeners.close({ timeoutMs: 0 })
  t.notOk(existsSync(path))
})

/** A socket whose process died without a chance to remove it. */
function leaveBehind(path: string): void {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script], { env: {} })
}

t.test('what a dead process left is removed, what is anything else is not', async (t) => {
  const folder = temporaryFolder(t)
  const at = (name: string) => join(folder, name)
  leaveBehind(at('stale'))
  t.ok(lstatSync(at('stale')).isSocket(), 'the test made one')
  t.equal(await refusal(t, unix(at('stale'))), 'started')
  t.equal(
    await refusal(t, unix(at('stale'))),
    `listener unix ${at('stale')}: another process listens on it`,
    'and now it is somebody’s',
  )
  writeFileSync(at('file'), 'precious')
  t.match(await refusal(t, unix(at('file'))), /a file that is not a socket is in its place; it is left alone$/)
  mkdirSync(at('folder'))
  t.match(await refusal(t, unix(at('folder'))), /it is left alone$/)
  t.ok(existsSync(at('file')) && existsSync(at('folder')))
  t.match(await refusal(t, unix(join(at('none'), 'x'))), /its folder does not exist$/)
  t.match(await refusal(t, unix(join(folder, 'x'.repeat(200)))), /longer than 107 bytes$/)
})

t.test('several listeners share one drain', async (t) => {
  const path = join(temporaryFolder(t), 'b.sock')
  const { listeners, port, handled } = await start(t, { listeners: [LOOPBACK, unix(path)] })
  const head = 'PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n'
  const clients = [rawClient(port), rawClient(path)]
  for (const client of clients) client.send(head)
  await eventually(() => handled.length === 2)
  t.equal(listeners.inFlight(), 2)
  const drained = listeners.close({ timeoutMs: 10_000 })
  for (const client of clients) client.send('ab')
  for (const client of clients) t.match(await client.closed, /got 2$/)
  t.strictSame(await drained, { finished: 2, cut: 0 })
})
