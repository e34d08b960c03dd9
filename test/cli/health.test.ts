import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, type Server, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { health, healthPlace } from '../../src/cli/health.js'
import type { CliIo } from '../../src/cli/io.js'

const placeOf = (text: string) => healthPlace(text, '/etc/ssec-proxy')

t.test('asks the admin listener, else the first listener; an address for all is this machine', async (t) => {
  const listeners = 'listeners: [{ https: { port: 8443 } }]\n'
  t.same(placeOf(`${listeners}admin: { port: 9464 }`), { type: 'admin', host: '127.0.0.1', port: 9464 })
  for (const [host, asked] of [
    ['0.0.0.0', '127.0.0.1'],
    ["'::'", '::1'],
    ["'::1'", '::1'],
    ['10.0.0.7', '10.0.0.7'],
  ]) {
    t.match(placeOf(`${listeners}admin: { host: ${host}, port: 9464 }`), { type: 'admin', host: asked })
  }
  t.same(placeOf(listeners), { type: 'listener', host: '127.0.0.1', port: 8443 })
  t.same(placeOf('listeners: [{ http: { host: localhost, port: 9000 } }]'), {
    type: 'listener',
    host: 'localhost',
    port: 9000,
  })
  t.same(placeOf('listeners: [{ unix: { path: run/s3.sock } }]'), {
    type: 'socket',
    path: '/etc/ssec-proxy/run/s3.sock',
  })
})

t.test('what cannot be asked is told as such, and nothing that is written there breaks it', async (t) => {
  for (const text of [
    '',
    'text',
    '[',
    'admin: &a { port: 9464 }',
    'admin: { port: "9464" }',
    'admin: { port: 0 }',
    'admin: { port: 1.5 }',
    'admin: { port: 65536 }',
    'admin: [9464]\nlisteners: {}',
    'listeners: []',
    'listeners: [{ unix: { path: 3 } }]',
    'toString: 1',
  ]) {
    t.same(placeOf(text), { type: 'unknown' }, text)
  }
})

/** Runs the command on a configuration. */
async function asked(t: Test, configuration: string, path: '/healthz' | '/readyz' = '/healthz') {
  const file = join(t.testdir({ 'proxy.yaml': configuration }), 'proxy.yaml')
  return askedFile(file, path)
}

async function askedFile(file: string, path: '/healthz' | '/readyz' = '/healthz') {
  const said = { stdout: '', stderr: '' }
  const io: CliIo = {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
    env: {},
    now: () => new Date(),
    randomBytes: (size) => Buffer.alloc(size),
  }
  return { code: await health(file, path, io), ...said }
}

async function listening(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('the exit code is what the admin listener answers', async (t) => {
  const server = createHttpServer((request, response) => {
    response.statusCode = request.url === '/healthz' ? 200 : 503
    response.end('x')
  })
  const port = await listening(t, server)
  const broken = `upstream: gone\nadmin: { port: ${port} }`
  t.same(await asked(t, broken), { code: 0, stdout: `127.0.0.1:${port}/healthz: 200\n`, stderr: '' })
  t.same(await asked(t, broken, '/readyz'), { code: 1, stdout: '', stderr: `127.0.0.1:${port}/readyz: 503\n` })
})

t.test('without one, whether the listener takes connections', async (t) => {
  const server = createServer((socket) => socket.destroy())
  const port = await listening(t, server)
  const configuration = `listeners: [{ https: { port: ${port} } }]`
  t.same(await asked(t, configuration), { code: 0, stdout: `127.0.0.1:${port}: takes connections\n`, stderr: '' })
  await new Promise((resolve) => server.close(resolve))
  const gone = await asked(t, configuration)
  t.match(gone, { code: 1, stdout: '', stderr: new RegExp(`^127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`) })
})

t.test('a proxy that does not answer is not healthy', async (t) => {
  const port = await listening(
    t,
    createServer((socket) => {
      t.teardown(() => socket.destroy())
    }),
  )
  t.match(await asked(t, `admin: { port: ${port} }`), { code: 1, stderr: /no answer in 4 s/ })
})

t.test('no file, no place: told in one line', async (t) => {
  t.match(await askedFile(join(t.testdir({}), 'none.yaml')), {
    code: 1,
    stderr: /none\.yaml: cannot be read: no such file\n$/,
  })
  t.match(await asked(t, 'listeners: []'), { code: 1, stderr: /no admin listener with a port, and no listener either/ })
})
