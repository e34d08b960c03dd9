import t from 'tap'
import { type Socket, connect } from 'node:net'
import { answer, countBody, eventually, exchange, rawClient, sizeOf, start } from './harness.js'

const timeouts = { headersMs: 10_000, clientIdleMs: 10_000, keepAliveMs: 10_000, drainMs: 1_000 }
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const head = (...lines: string[]) => `PUT /a HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`
const stalls = (log: readonly Record<string, unknown>[]) => log.filter((line) => line.msg === 'stalled client cut off')

t.test('a head that comes drop by drop, or not at all, is cut off', async (t) => {
  const { port, handled, events } = await start(t, { timeouts: { ...timeouts, headersMs: 300 } })
  const client = rawClient(port)
  client.send('GET / HTTP/1.1\r\nHost: x\r\n')
  const drops = setInterval(() => client.send('X-A: a\r\n'), 20)
  const said = await client.closed
  clearInterval(drops)
  t.match(said, /^HTTP\/1\.1 400 [^]*<Code>RequestTimeout</)
  const silent = rawClient(port)
  t.match(await silent.closed, /^HTTP\/1\.1 400 [^]*<Code>RequestTimeout</)
  const second = rawClient(port)
  second.send(head('Content-Length: 0'))
  await second.until(/got 0/)
  second.send('GET / HTTP/1.1\r\n')
  t.match(await second.closed, /got 0HTTP\/1\.1 400 /, 'the second head on a connection too')
  t.strictSame(handled, ['PUT /a'])
  t.match(events, [{ errorCode: 'RequestTimeout' }, { errorCode: 'RequestTimeout' }, { errorCode: 'RequestTimeout' }])
})

t.test('an upload that stalls is cut off, and its handler learns it', async (t) => {
  let size: unknown = 'running'
  const { port, log, listeners } = await start(t, {
    timeouts: { ...timeouts, clientIdleMs: 200 },
    handler: async (request) => void (size = await sizeOf(request)),
  })
  const client = rawClient(port)
  client.send(head('Content-Length: 10') + 'hello')
  t.equal(await client.closed, '')
  await eventually(() => size === 'cut off')
  t.match(stalls(log), [{ stalled: 'upload', listener: 'http 127.0.0.1:0' }])
  await eventually(() => listeners.inFlight() === 0)
})

t.test('an upload of a byte now and then goes on', async (t) => {
  const { port, log } = await start(t, { timeouts: { ...timeouts, clientIdleMs: 1_000 } })
  const client = rawClient(port)
  client.send(head('Content-Length: 15'))
  for (let i = 0; i < 15; i++) {
    await pause(100)
    client.send('x')
  }
  await client.until(/got 15$/)
  t.strictSame(stalls(log), [])
  client.socket.destroy()
})

t.test('a download that nobody takes is cut off, and one that is taken slowly is not', async (t) => {
  const size = 20_000_000
  const { port, log } = await start(t, {
    timeouts: { ...timeouts, clientIdleMs: 700 },
    handler: async (_request, response) => answer(response, Buffer.alloc(size)),
  })
  const [slow, stalled] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  const taken = new Map<Socket, number>()
  const take = (socket: Socket) => {
    const chunk = socket.read() as Buffer | null
    taken.set(socket, (taken.get(socket) ?? 0) + (chunk?.length ?? 0))
  }
  for (const socket of [slow, stalled]) {
    // Without a listener to 'data' a socket reads only what its buffer holds.
    socket.on('readable', () => undefined)
    socket.on('error', () => undefined)
    socket.write(head('Content-Length: 0'))
  }
  const bites = setInterval(() => take(slow), 5)
  await eventually(() => stalls(log).length > 0)
  t.match(stalls(log), [{ stalled: 'download' }])
  stalled.on('readable', () => take(stalled))
  take(stalled)
  await eventually(() => stalled.destroyed || stalled.readableEnded)
  t.ok((taken.get(stalled) ?? 0) < size)
  clearInterval(bites)
  slow.on('readable', () => take(slow))
  take(slow)
  await eventually(() => (taken.get(slow) ?? 0) > size)
  t.equal(stalls(log).length, 1)
  for (const socket of [slow, stalled]) socket.destroy()
})

t.test('nobody is cut off while it is our turn', async (t) => {
  const { port, log } = await start(t, {
    timeouts: { ...timeouts, clientIdleMs: 1_000 },
    handler: async (request, response, context) => {
      // A key service, an upstream: longer than the limit, twice.
      await pause(2_300)
      if (context.expectsContinue) response.writeContinue()
      await countBody(request, response, context)
    },
  })
  const whole = rawClient(port)
  whole.send(head('Content-Length: 5') + 'hello')
  const asking = rawClient(port)
  asking.send(head('Content-Length: 5', 'Expect: 100-continue'))
  const full = rawClient(port)
  full.send(head('Content-Length: 3000000'))
  full.socket.write(Buffer.alloc(3_000_000))
  await asking.until(/100 Continue/)
  asking.send('hello')
  t.match(await whole.until(/got/), /got 5$/, 'the request is complete and its answer takes long')
  t.match(await asking.until(/got/), /got 5$/, 'it was not told to go on')
  t.match(await full.until(/got/), /got 3000000$/, 'we do not read')
  t.strictSame(stalls(log), [])
  for (const client of [whole, asking, full]) client.socket.destroy()
})

t.test('a connection that is not used is closed without a word', async (t) => {
  const { port, log, events } = await start(t, { timeouts: { ...timeouts, keepAliveMs: 100 } })
  const client = rawClient(port)
  client.send(head('Content-Length: 2') + 'ab')
  t.match(await client.closed, /got 2$/)
  t.strictSame(log, [])
  t.strictSame(events, [])
})

t.test('HTTP/1.0 is answered and closed', async (t) => {
  const { port } = await start(t)
  const said = await exchange(port, 'PUT /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nab')
  t.match(said, /^HTTP\/1\.1 200 OK[^]*connection: close[^]*got 2$/i)
})
