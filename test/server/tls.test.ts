import t from 'tap'
import { type ConnectionOptions, connect } from 'node:tls'
import { type RawClient, type Running, eventually, rawClient, start, temporaryFolder } from './harness.js'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import { join } from 'node:path'
import { testCertificates } from '../support/certificates.js'
import type { ListenerConfig } from '../../src/config/types.js'
import { X509Certificate } from 'node:crypto'

const { authority, leaf } = testCertificates()
const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'
const FAST = { settleMs: 20, pollMs: 60_000, lingerMs: 1_000 }

function files(folder: string, pair: { cert: string; key: string }) {
  const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
  writeFileSync(tls.certFile, pair.cert)
  writeFileSync(tls.keyFile, pair.key)
  return tls
}

function httpsListener(
  tls: { certFile: string; keyFile: string },
  clientCa: Extract<ListenerConfig, { type: 'https' }>['clientCa'] = { type: 'none' },
): ListenerConfig {
  return { type: 'https', host: '127.0.0.1', port: 0, tls, clientCa }
}

/** What a handshake ends with: `TLSv1.3 http/1.1`, or the code of the error. */
function handshake(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ...options })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`)
      socket.destroy()
    })
  })
}

function tlsClient(port: number, options: ConnectionOptions = {}): RawClient {
  return rawClient(connect({ port, host: '127.0.0.1', ca: authority.cert, ...options }))
}

/** The fingerprint of the certificate that a new connection is shown. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

const fingerprint = (pair: { cert: string }) => new X509Certificate(pair.cert).fingerprint256
const newLeaf = () => issueCertificate(authority, { hosts: ['127.0.0.1'] })
const refusals = (server: Running) => server.log.filter(({ msg }) => String(msg).startsWith('new certificate refused'))

t.test('TLS 1.2 and 1.3 with AEAD ciphers, HTTP/1.1 and nothing else', async (t) => {
  const { port, log, events } = await start(t, { listeners: [httpsListener(files(temporaryFolder(t), leaf))] })
  t.equal(await handshake(port, { ALPNProtocols: ['h2', 'http/1.1'] }), 'TLSv1.3 http/1.1')
  t.equal(await handshake(port, { maxVersion: 'TLSv1.2' }), 'TLSv1.2 false')
  t.match(await handshake(port, { ALPNProtocols: ['h2'] }), /ALERT_NO_APPLICATION_PROTOCOL/)
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  t.match(await handshake(port, old), /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/)
  const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA' } as const
  t.match(await handshake(port, cbc), /HANDSHAKE_FAILURE/)

  const client = tlsClient(port)
  client.send(GET)
  await client.until(/got 0$/)
  client.socket.destroy()
  const plain = rawClient(port)
  plain.send(GET)
  t.notMatch(await plain.closed, /HTTP/, 'plain http gets no answer')
  t.strictSame(events, [])
  t.match(log[0], { level: 'info', msg: 'certificate in use', listener: 'https 127.0.0.1:0' })
})

t.test('a connection that never begins its handshake is closed', async (t) => {
  const timeouts = { headersMs: 100, clientIdleMs: 10_000, keepAliveMs: 10_000, drainMs: 1_000 }
  const { port } = await start(t, { timeouts, listeners: [httpsListener(files(temporaryFolder(t), leaf))] })
  const client = rawClient(port)
  t.equal(await client.closed, '')
})

t.test('a drain does not wait for a handshake that never ends', async (t) => {
  const server = await start(t, { listeners: [httpsListener(files(temporaryFolder(t), leaf))] })
  const idle = tlsClient(server.port)
  idle.send(GET)
  await idle.until(/got 0$/)
  const silent = rawClient(server.port)
  await new Promise((resolve) => silent.socket.once('connect', resolve))
  t.strictSame(await server.listeners.close({ timeoutMs: 60_000 }), { finished: 0, cut: 0 })
  t.notMatch(await idle.closed, /ECONNRESET/)
  await silent.closed
})

t.test('a new pair of files is taken up, and what is open goes on', async (t) => {
  const tls = files(temporaryFolder(t), leaf)
  const seen: Date[] = []
  const server = await start(t, {
    listeners: [httpsListener(tls)],
    times: FAST,
    onCertificate: ({ notAfter }) => void seen.push(notAfter),
  })
  const open = tlsClient(server.port)
  open.send('PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello')
  await eventually(() => server.handled.length === 1)
  const next = issueCertificate(authority, { hosts: ['127.0.0.1'], days: 7 })
  writeFileSync(tls.certFile, next.cert)
  writeFileSync(tls.keyFile, next.key)
  await eventually(() => seen.length === 2)
  t.equal(await shown(server.port), fingerprint(next))
  const cbc = { ciphers: 'ECDHE-ECDSA-AES128-SHA256', maxVersion: 'TLSv1.2' } as const
  t.match(await handshake(server.port, cbc), /HANDSHAKE_FAILURE/, 'the rules are those of before')
  open.send('world')
  await open.until(/got 10$/)
  open.socket.destroy()
  t.strictSame(
    seen,
    [leaf, next].map(({ cert }) => new Date(new X509Certificate(cert).validTo)),
  )
})

t.test("Kubernetes' way: the folder of the files is a link that is swapped", async (t) => {
  const folder = temporaryFolder(t)
  const next = newLeaf()
  for (const [name, pair] of Object.entries({ one: leaf, two: next })) {
    mkdirSync(join(folder, name))
    files(join(folder, name), pair)
  }
  symlinkSync('one', join(folder, '..data'))
  const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
  symlinkSync('..data/tls.crt', tls.certFile)
  symlinkSync('..data/tls.key', tls.keyFile)
  const server = await start(t, { listeners: [httpsListener(tls)], times: FAST })
  t.equal(await shown(server.port), fingerprint(leaf))
  symlinkSync('two', join(folder, '..data_tmp'))
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  await eventually(() => server.log.filter(({ msg }) => msg === 'certificate in use').length === 2)
  t.equal(await shown(server.port), fingerprint(next))
})

t.test('where nothing tells of a change the poll finds it', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'away'))
  const tls = files(join(folder, 'away'), leaf)
  const server = await start(t, {
    listeners: [httpsListener(tls)],
    times: { ...FAST, settleMs: 3_600_000, pollMs: 30 },
  })
  const next = newLeaf()
  files(join(folder, 'away'), next)
  await eventually(() => server.log.filter(({ msg }) => msg === 'certificate in use').length === 2)
  t.equal(await shown(server.port), fingerprint(next))
})

t.test('a pair that is broken, does not match or is gone is refused once and the old one stays', async (t) => {
  const folder = temporaryFolder(t)
  const tls = files(folder, leaf)
  const server = await start(t, { listeners: [httpsListener(tls)], times: { ...FAST, pollMs: 20 } })
  const other = newLeaf()
  const broken: readonly [string, () => void, RegExp][] = [
    ['of another key', () => writeFileSync(tls.keyFile, other.key), /do not belong together$/],
    ['no certificate', () => writeFileSync(tls.certFile, 'half a certi'), /tls\.crt: not a PEM certificate$/],
    ['no key', () => files(folder, { ...leaf, key: leaf.cert }), /tls\.key: not a PEM private key/],
    ['empty', () => writeFileSync(tls.certFile, ''), /tls\.crt: not a PEM certificate$/],
    ['gone', () => rmSync(tls.keyFile), /tls\.key: no such file$/],
  ]
  for (const [name, breakIt, reason] of broken) {
    const before = refusals(server).length
    breakIt()
    await eventually(() =>
      refusals(server)
        .slice(before)
        .some((line) => reason.test(String(line.reason))),
    )
    t.equal(await shown(server.port), fingerprint(leaf), name)
    t.ok(refusals(server).length - before <= 2, `${name}: told once, however often it is looked at`)
  }
  t.notMatch(JSON.stringify(server.log), /BEGIN|half a certi/, 'no content in the log')
  files(folder, other)
  await eventually(() => server.log.filter(({ msg }) => msg === 'certificate in use').length === 2)
  t.equal(await shown(server.port), fingerprint(other), 'a good pair is taken up after all that')
})

t.test('SIGHUP looks at once and says what it found', async (t) => {
  const folder = temporaryFolder(t)
  const tls = files(folder, leaf)
  const server = await start(t, {
    listeners: [httpsListener(tls)],
    times: { ...FAST, settleMs: 3_600_000, pollMs: 3_600_000 },
  })
  server.listeners.reloadCertificates()
  t.match(server.log.at(-1), { msg: 'certificate unchanged' })
  const next = newLeaf()
  writeFileSync(tls.certFile, next.cert)
  for (const times of [1, 2]) {
    server.listeners.reloadCertificates()
    t.equal(refusals(server).length, times, 'told each time that it is asked for')
  }
  writeFileSync(tls.keyFile, next.key)
  server.listeners.reloadCertificates()
  t.equal(await shown(server.port), fingerprint(next))
})

t.test('a certificate that is out of its period is used, with a warning', async (t) => {
  const expired = issueCertificate(authority, { hosts: ['127.0.0.1'], now: new Date('2020-01-01'), days: 1 })
  const server = await start(t, { listeners: [httpsListener(files(temporaryFolder(t), expired))] })
  t.match(server.log, [{ level: 'warn', notAfter: '2020-01-02T00:00:00.000Z' }])
})

/** Client certificates without an extended key usage, by a tool that is not ours. */
function clientPair(folder: string, name: string, issuer: { cert: string; key: string }) {
  const at = (suffix: string) => join(folder, `${name}.${suffix}`)
  writeFileSync(at('ca'), issuer.cert)
  writeFileSync(at('ca.key'), issuer.key)
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  const key = run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256')
  writeFileSync(at('key'), key)
  run('req', '-new', '-key', at('key'), '-subj', `/CN=${name}`, '-out', at('csr'))
  return { key, cert: run('x509', '-req', '-in', at('csr'), '-CA', at('ca'), '-CAkey', at('ca.key'), '-days', '2') }
}

t.test('with a client CA nobody gets in without a certificate of it', async (t) => {
  const folder = temporaryFolder(t)
  const clientCa = join(folder, 'clients.pem')
  const clients = makeAuthority({ name: 'clients' })
  writeFileSync(clientCa, clients.cert)
  const server = await start(t, {
    listeners: [httpsListener(files(folder, leaf), { type: 'file', file: clientCa })],
    times: FAST,
  })
  const good = clientPair(folder, 'good', clients)
  // Also one whose CA has the right name, and one of the server's own CA.
  const namesake = clientPair(folder, 'namesake', makeAuthority({ name: 'clients' }))
  const stranger = clientPair(folder, 'stranger', authority)
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = tlsClient(server.port, { ...good, maxVersion })
    client.send(GET)
    t.match(await client.until(/got 0$/), /200 OK/, `${maxVersion}: with it`)
    client.socket.destroy()
    for (const [name, pair] of Object.entries({ none: {}, namesake, stranger, server: leaf })) {
      const before = server.handled.length
      const refused = tlsClient(server.port, { ...pair, maxVersion })
      refused.send(GET)
      t.notMatch(await refused.closed, /HTTP/, `${maxVersion}: ${name}`)
      t.equal(server.handled.length, before)
    }
  }
  await eventually(() => server.log.filter(({ msg }) => msg === 'client certificate refused').length === 8)
  writeFileSync(clientCa, authority.cert)
  await eventually(() => server.log.filter(({ msg }) => msg === 'certificate in use').length === 2)
  const now = tlsClient(server.port, stranger)
  now.send(GET)
  t.match(await now.until(/got 0$/), /200 OK/, 'the CA is reloaded too')
  now.socket.destroy()
  const then = tlsClient(server.port, good)
  then.send(GET)
  t.notMatch(await then.closed, /HTTP/)
})
