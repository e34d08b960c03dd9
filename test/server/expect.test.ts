import t from 'tap'
import { answer, countBody, exchange, rawClient, start } from './harness.js'

const head = (...lines: string[]) => `PUT /a HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`

t.test('a client that asks is told to go on when the handler says so, and not before', async (t) => {
  let authorise: () => void = () => undefined
  const authorised = new Promise<void>((resolve) => (authorise = resolve))
  let begun: () => void = () => undefined
  const running = new Promise<void>((resolve) => (begun = resolve))
  const { port } = await start(t, {
    handler: async (request, response, context) => {
      t.equal(context.expectsContinue, true)
      begun()
      await authorised
      response.writeContinue()
      await countBody(request, response, context)
    },
  })
  const client = rawClient(port)
  client.send(head('Expect: 100-Continue', 'Content-Length: 5'))
  await running
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(client.received(), '')
  authorise()
  t.match(await client.until(/100 Continue\r\n\r\n/), /100 Continue/)
  client.send('hello')
  await client.until(/200 OK[^]*got 5$/)
  client.send(head('Expect: 100-continue', 'Content-Length: 3'))
  await client.until(/got 5HTTP\/1\.1 1/)
  client.send('abc')
  t.match(await client.until(/got 3$/), /got 3$/, 'the connection was kept')
  client.socket.destroy()
})

t.test('refused before it was told to go on: answered, closed, and what it sends is not a request', async (t) => {
  const { port, handled } = await start(t, {
    handler: async (_request, response) => {
      answer(response, 'no', 403, { 'content-length': '2' })
    },
  })
  const client = rawClient(port)
  client.send(head('Expect: 100-continue', 'Content-Length: 5'))
  await client.until(/403 Forbidden[^]*no$/)
  t.match(client.received(), /^connection: close\r$/im)
  client.send(`GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.notMatch(await client.closed, /100 Continue/)
  t.strictSame(handled, ['PUT /a'])
})

t.test('other expectations are 417, close the connection and reach nobody', async (t) => {
  const { port, handled, events } = await start(t)
  for (const value of ['200-ok', '100-continue, 200-ok', 'x-100-continue', '100-continue; q=1']) {
    const said = await exchange(port, head(`Expect: ${value}`, 'Content-Length: 5'))
    t.match(said, /^HTTP\/1\.1 417 Expectation Failed\r\n[^]*<Code>ExpectationFailed</, value)
  }
  t.strictSame(handled, [])
  t.equal(events.length, 4)
})

t.test('HEAD gets no body with its 417', async (t) => {
  const { port } = await start(t)
  const said = await exchange(port, 'HEAD /a HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\n\r\n')
  t.match(said, /^HTTP\/1\.1 417 [^]*\r\n\r\n$/)
})

t.test('HTTP/1.0 clients do not know 100-continue and are not told it', async (t) => {
  const { port } = await start(t, {
    handler: async (request, response, context) => {
      t.equal(context.expectsContinue, false)
      await countBody(request, response, context)
    },
  })
  const said = await exchange(
    port,
    'PUT /a HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
  )
  t.match(said, /^HTTP\/1\.1 200 OK[^]*got 5$/)
})

t.test('an upload that is refused half-way sees the answer, not a reset', async (t) => {
  const { port } = await start(t, {
    handler: async (_request, response) => {
      answer(response, 'refused', 403)
    },
  })
  const client = rawClient(port)
  client.send(head('Content-Length: 20000000'))
  const chunk = Buffer.alloc(64 * 1024)
  // The client reads nothing until it has sent everything, as many do.
  client.socket.pause()
  for (let sent = 0; sent < 19_000_000; sent += chunk.length) {
    if (!client.socket.write(chunk)) await new Promise((resolve) => client.socket.once('drain', resolve))
  }
  client.socket.resume()
  t.match(await client.until(/refused$/), /403 Forbidden/)
  t.notMatch(client.received(), /ECONNRESET|EPIPE/)
  client.socket.destroy()
})

t.test('an upload that goes on for ever after its answer is cut off', async (t) => {
  const { port, listeners } = await start(t, {
    times: { settleMs: 500, pollMs: 30_000, lingerMs: 100 },
    handler: async (_request, response) => answer(response, 'enough'),
  })
  const client = rawClient(port, 'stubborn')
  client.send(head('Content-Length: 20000000000'))
  const endless = setInterval(() => client.socket.write('more'), 10)
  const said = await client.closed
  clearInterval(endless)
  t.match(said, /enough/)
  t.equal(listeners.inFlight(), 0)
})
