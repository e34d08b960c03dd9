import t from 'tap'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { ListenerConfig } from '../../../src/config/types.js'
import { testCertificates } from '../../support/certificates.js'
import { answer, countBody, eventually, rawClient, start, temporaryFolder } from '../harness.js'

// What TLS does differently: its own records and buffers, close_notify, sockets under sockets.

const { authority, leaf } = testCertificates()
const folder = temporaryFolder(t)
const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
writeFileSync(tls.certFile, leaf.cert)
writeFileSync(tls.keyFile, leaf.key)
const listeners: readonly ListenerConfig[] = [
  { type: 'https', host: '127.0.0.1', port: 0, tls, clientCa: { type: 'none' } },
]
const open = (port: number, session?: Buffer) =>
  connect({ port, host: '127.0.0.1', ca: authority.cert, ...(session === undefined ? {} : { session }) })
const PUT = (length: number) => `PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`
const LAST = 'GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

t.test('a pipeline with bodies in it', async (t) => {
  const { port } = await start(t, { listeners })
  const client = rawClient(open(port))
  client.send(`${PUT(5)}hello${PUT(100_000)}${'x'.repeat(100_000)}${LAST}`)
  t.match(await client.closed, /got 5HTTP[^]*got 100000HTTP[^]*got 0$/)
})

t.test('large bodies both ways at once, byte for byte', async (t) => {
  const { port } = await start(t, {
    listeners,
    handler: async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request.openBody()) parts.push(part as Buffer)
      answer(response, Buffer.concat(parts))
    },
  })
  const body = Buffer.alloc(9_999_999, 'The quick brown fox. ')
  const clients = [1, 2, 3].map(() => rawClient(open(port)))
  for (const client of clients) {
    client.socket.write(PUT(body.length))
    client.socket.write(body)
  }
  for (const client of clients) {
    await client.until(/\r\n\r\n/)
    await eventually(() => client.received().length > body.length)
    t.ok(client.received().endsWith(body.toString('latin1')))
    client.socket.destroy()
  }
})

t.test('an upload that is refused half-way sees the answer, not a reset', async (t) => {
  const { port, listeners: opened } = await start(t, {
    listeners,
    handler: async (_, response) => answer(response, 'refused', 403),
  })
  const client = rawClient(open(port), 'stubborn')
  client.send(PUT(20_000_000))
  // The client reads nothing until it has sent everything, as many do.
  client.socket.pause()
  const chunk = Buffer.alloc(64 * 1024)
  for (let sent = 0; sent < 19_000_000; sent += chunk.length) {
    if (!client.socket.write(chunk)) await once(client.socket, 'drain')
  }
  client.socket.resume()
  t.match(await client.until(/refused$/), /403 Forbidden/)
  t.notMatch(client.received(), /ECONNRESET|EPIPE/)
  client.socket.end()
  await client.closed
  t.equal(opened.inFlight(), 0)
})

t.test('a download that nobody takes is cut off, one that is taken late is whole', async (t) => {
  const size = 20_000_000
  const heard: string[] = []
  const { port, log } = await start(t, {
    listeners,
    timeouts: { headersMs: 10_000, clientIdleMs: 700, keepAliveMs: 10_000, drainMs: 1_000 },
    handler: async (_, response) => {
      answer(response, Buffer.alloc(size))
      await new Promise((resolve) => response.onOver((how) => resolve(heard.push(how))))
    },
  })
  const [late, never] = [rawClient(open(port)), rawClient(open(port))]
  for (const client of [late, never]) {
    client.send(LAST)
    await client.until(/200 OK/)
    client.socket.pause()
  }
  setTimeout(() => late.socket.resume(), 300)
  t.ok((await late.closed).length > size)
  await eventually(() => heard.length === 2)
  t.strictSame(heard, ['sent', 'cut'])
  t.match(
    log.filter(({ msg }) => msg === 'stalled client cut off'),
    [{ stalled: 'download' }],
  )
  never.socket.destroy()
})

t.test('a client that leaves with and without a word', async (t) => {
  const heard: string[] = []
  const {
    port,
    handled,
    listeners: opened,
  } = await start(t, {
    listeners,
    handler: (_, response) => new Promise((resolve) => response.onOver((how) => resolve(void heard.push(how)))),
  })
  for (const leave of ['end', 'destroy'] as const) {
    const client = rawClient(open(port))
    client.send(LAST)
    await eventually(() => handled.length > heard.length)
    client.socket[leave]()
    await eventually(() => opened.inFlight() === 0)
  }
  t.strictSame(heard, ['cut', 'cut'])
})

t.test('a session is resumed', async (t) => {
  const { port } = await start(t, { listeners, handler: countBody })
  const first = open(port)
  let session: Buffer | undefined
  first.on('session', (given) => (session = given))
  const client = rawClient(first)
  client.send(LAST)
  await client.closed
  const second = open(port, session)
  await once(second, 'secureConnect')
  t.equal(second.isSessionReused(), true)
  second.destroy()
})

t.test('a client that leaves before its handshake is let go at once', async (t) => {
  // Health checks of load balancers do nothing else, every few seconds.
  const { port, log } = await start(t, { listeners })
  for (const begin of ['', '\x16\x03\x01']) {
    const client = rawClient(port, 'stubborn')
    const began = performance.now()
    client.socket.end(Buffer.from(begin, 'latin1'))
    await once(client.socket, 'end')
    t.ok(performance.now() - began < 2_000)
    client.socket.destroy()
  }
  t.strictSame(
    log.filter(({ level }) => level !== 'info' && level !== 'debug'),
    [],
  )
})

t.test('a client that ends its side within a body still hears of it', async (t) => {
  const { port } = await start(t, { listeners })
  const client = rawClient(open(port), 'stubborn')
  client.socket.end(`${PUT(6)}hello`)
  t.match(await client.closed, /^HTTP\/1\.1 400 [^]*<Code>BadRequest</)
})
