import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import { httpProxyTransport } from '../../src/upstream/http-proxy-transport.js'
import type { UpstreamRequest } from '../../src/upstream/types.js'
import { testCertificates } from '../support/certificates.js'
import {
  answering,
  eventually,
  failsWith,
  getRequest,
  never,
  OK,
  rawUpstream,
  textOf,
  transportFor,
} from './raw-upstream.js'

t.test('connections are kept and used again', async (t) => {
  t.test('one after the other over one, in parallel over up to maxSockets', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }) => socket.on('data', () => setImmediate(() => socket.write(OK))))
    const { transport, stats } = transportFor(t, { maxSockets: 2 })
    const get = async (): Promise<string> => textOf((await transport(getRequest(upstream.port), never())).body)
    await get()
    await get()
    t.equal(upstream.connections.length, 1)
    const all = Promise.all([get(), get(), get(), get(), get()])
    t.match(stats(), { inUse: 2, pending: 3 })
    t.same(await all, ['ok', 'ok', 'ok', 'ok', 'ok'])
    t.equal(upstream.connections.length, 2)
    await eventually(() => stats().inUse === 0)
    t.match(stats(), { inUse: 0, free: 2, pending: 0, retries: 0 })
  })

  t.test('TLS sessions are resumed', async (t) => {
    const closing = OK.replace('OK\r\n', 'OK\r\nConnection: close\r\n')
    const reused: boolean[] = []
    const upstream = await rawUpstream(t, (connection) => {
      reused.push(connection.socket.isSessionReused())
      answering(closing)(connection)
    })
    const { transport } = transportFor(t)
    for (let i = 0; i < 3; i += 1) await textOf((await transport(getRequest(upstream.port), never())).body)
    t.same(reused, [false, true, true])
  })

  t.test('an idle one is closed after keepAliveMs', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const { transport, stats } = transportFor(t, { keepAliveMs: 30 })
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await upstream.connections[0]!.closed
    await eventually(() => stats().free === 0)
  })

  t.test('Keep-Alive: timeout of the upstream is heeded', async (t) => {
    const upstream = await rawUpstream(t, answering(OK.replace('OK\r\n', 'OK\r\nKeep-Alive: timeout=1\r\n')))
    const { transport } = transportFor(t, { keepAliveMs: 60_000 })
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await upstream.connections[0]!.closed
  })

  t.test('http/1.1 is all that is offered', async (t) => {
    const upstream = await rawUpstream(t, answering(OK), { ALPNProtocols: ['h2', 'http/1.1'] })
    await textOf((await transportFor(t).transport(getRequest(upstream.port), never())).body)
    t.equal(upstream.connections[0]!.socket.alpnProtocol, 'http/1.1')
  })

  t.test('the name is asked for by SNI, an address is not', async (t) => {
    const upstream = await rawUpstream(t, answering(OK.replace('OK\r\n', 'OK\r\nConnection: close\r\n')))
    const { transport } = transportFor(t)
    for (const [hostname, asked] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', false],
    ] as const) {
      const request = getRequest(upstream.port, { hostname, headers: { host: 'elsewhere.example' } })
      await textOf((await transport(request, never())).body)
      t.equal(upstream.connections.at(-1)!.socket.servername, asked, 'whatever the host header says')
    }
  })
})

t.test('an upstream that is not verified gets not one byte', async (t) => {
  const { authority, leaf } = testCertificates()
  const secretive = (port: number, hostname = '127.0.0.1'): UpstreamRequest =>
    getRequest(port, { hostname, headers: { host: 'x', 'x-amz-server-side-encryption-customer-key': 'secret' } })
  const cases: [
    string,
    Parameters<typeof rawUpstream>[2],
    string,
    Partial<Parameters<typeof transportFor>[1]>,
    RegExp,
  ][] = [
    [
      'of another authority',
      leaf,
      '127.0.0.1',
      { ca: makeAuthority().cert },
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/,
    ],
    [
      'where the system knows no such authority',
      leaf,
      '127.0.0.1',
      { ca: 'system' },
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    ],
    [
      'of another name',
      issueCertificate(authority, { hosts: ['other.example'] }),
      'localhost',
      {},
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    [
      'of another address',
      issueCertificate(authority, { hosts: ['localhost'] }),
      '127.0.0.1',
      {},
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    [
      'expired',
      issueCertificate(authority, { hosts: ['127.0.0.1'], now: new Date('2020-01-01'), days: 1 }),
      '127.0.0.1',
      {},
      /CERT_HAS_EXPIRED/,
    ],
    [
      'not yet valid',
      issueCertificate(authority, { hosts: ['127.0.0.1'], now: new Date('2100-01-01'), days: 1 }),
      '127.0.0.1',
      {},
      /CERT_NOT_YET_VALID/,
    ],
    [
      'TLS 1.1 only',
      { ...leaf, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      '127.0.0.1',
      {},
      /ERR_SSL|EPROTO/,
    ],
  ]
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  })
  for (const verify of ['1', '0']) {
    // The transport refuses this variable at its start; set later, it must not matter either.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = verify
    for (const [name, tls, hostname, options, code] of cases) {
      const upstream = await rawUpstream(t, answering(OK), tls)
      const stream = new PassThrough()
      stream.write('body')
      const { transport, stats } = transportFor(t, options)
      await failsWith(
        t,
        transport(secretive(upstream.port, hostname), never()),
        { reason: 'tls', sent: false, code },
        name,
      )
      const put = { ...secretive(upstream.port, hostname), method: 'PUT', body: { type: 'stream', stream } as const }
      const headers = { ...put.headers, 'content-length': '4' }
      await failsWith(t, transport({ ...put, headers }, never()), { reason: 'tls', sent: false }, name)
      t.equal(stream.readableLength, 4)
      t.ok(
        upstream.connections.every((connection) => connection.received() === ''),
        name,
      )
      await eventually(() => stats().inUse + stats().free === 0)
    }
  }
})

t.test('plain http is never spoken', async (t) => {
  let received = Buffer.alloc(0)
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      socket.end(OK)
    })
  })
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await failsWith(t, transportFor(t).transport(getRequest(port), never()), {
    reason: 'tls',
    code: /EPROTO|ERR_SSL/,
  })
  t.equal(received[0], 0x16, 'a TLS handshake record')
  t.notMatch(received.toString('latin1'), /GET|host:/)
})

t.test('an environment that takes the protection away is refused', async (t) => {
  const start = (environment: Record<string, string>) => () =>
    httpProxyTransport({
      connectTimeoutMs: 1,
      idleTimeoutMs: 1,
      maxSockets: 1,
      pass: 'http-proxy',
      keepAliveMs: 1,
      ca: 'system',
      environment,
    })
  t.throws(start({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), /NODE_TLS_REJECT_UNAUTHORIZED/)
  t.throws(start({ NODE_DEBUG: 'http' }), /NODE_DEBUG/)
  t.throws(start({ FORCE_FETCH_PATH: 'true' }), /FORCE_FETCH_PATH/)
  t.throws(start({ NODE_OPTIONS: '--max-old-space-size=99 --insecure-http-parser' }), /NODE_OPTIONS/)
  t.throws(start({ NODE_OPTIONS: '--tls-keylog=/tmp/keys' }), /NODE_OPTIONS/)
  t.doesNotThrow(
    start({ NODE_TLS_REJECT_UNAUTHORIZED: '1', NODE_OPTIONS: '--no-warnings', NODE_DEBUG: '', FORCE_FETCH_PATH: '' }),
  )
})

t.test('close ends what runs and what waits, and leaves no socket', async (t) => {
  const upstream = await rawUpstream(t, ({ socket, until }, index) => {
    if (index === 0) void until(/\r\n\r\n/).then(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
  })
  const { transport, stats, close } = transportFor(t, { maxSockets: 2 })
  const { body } = await transport(getRequest(upstream.port), never())
  const read = textOf(body)
  read.catch(() => undefined)
  const others = [1, 2, 3].map(() => transport(getRequest(upstream.port), never()))
  for (const other of others) other.catch(() => undefined)
  await eventually(() => upstream.connections.length >= 2)
  await upstream.connections[1]!.until(/\r\n\r\n/)
  await close()
  await t.rejects(read)
  for (const other of others) await failsWith(t, other, { reason: 'aborted' })
  t.match(stats(), { inUse: 0, free: 0, pending: 0 })
  await failsWith(t, transport(getRequest(upstream.port), never()), { reason: 'aborted' })
})
