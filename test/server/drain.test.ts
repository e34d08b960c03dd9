import t from 'tap'
import { once } from 'node:events'
import { answer, countBody, eventually, rawClient, start, type Running } from './harness.js'

const head = (...lines: string[]) => `PUT /a HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`

async function running(server: Running, count: number): Promise<void> {
  await eventually(() => server.listeners.inFlight() === count)
}

t.test('an upload that is running finishes, idle connections close, new ones are refused', async (t) => {
  const server = await start(t)
  const idle = rawClient(server.port)
  idle.send(head('Content-Length: 0'))
  await idle.until(/got 0/)
  const upload = rawClient(server.port)
  upload.send(head('Content-Length: 10') + 'hello')
  await running(server, 1)

  const drained = server.listeners.close({ timeoutMs: 10_000 })
  t.match(await idle.closed, /got 0$/)
  t.match(await rawClient(server.port).closed, /ECONNREFUSED/)
  upload.send('world')
  const said = await upload.closed
  t.match(said, /got 10$/)
  t.match(said, /connection: close/i, 'which told the client that the connection is over')
  t.strictSame(await drained, { finished: 1, cut: 0 })
})

t.test('what does not finish in time is cut off and counted', async (t) => {
  const server = await start(t)
  const [never, upload] = [rawClient(server.port), rawClient(server.port)]
  for (const client of [never, upload]) client.send(head('Content-Length: 10') + 'hello')
  await running(server, 2)
  const drained = server.listeners.close({ timeoutMs: 300 })
  upload.send('world')
  await upload.until(/got 10/)
  t.strictSame(await drained, { finished: 1, cut: 1 })
  t.equal(await never.closed, '')
})

t.test('a request that comes while draining is refused with 503 and does not count', async (t) => {
  const server = await start(t)
  const client = rawClient(server.port)
  client.send(head('Content-Length: 2') + 'a')
  await running(server, 1)
  const drained = server.listeners.close({ timeoutMs: 10_000 })
  client.send(`b${head('Content-Length: 2')}cd`)
  const said = await client.closed
  t.match(said, /got 2/)
  t.notMatch(said, /got 2[^]*got 2/)
  t.strictSame(server.handled, ['PUT /a'])
  t.strictSame(await drained, { finished: 1, cut: 0 })
})

t.test('pipelined behind an answer that has begun: 503, and the connection closes', async (t) => {
  let finish: () => void = () => undefined
  const server = await start(t, {
    handler: async (_request, response) => {
      response.writeHead(200, new Map([['content-length', '2']]))
      response.write(Buffer.from('o'))
      finish = () => response.end(Buffer.from('k'))
    },
  })
  const client = rawClient(server.port)
  client.send(head('Content-Length: 0'))
  await client.until(/o$/)
  const drained = server.listeners.close({ timeoutMs: 10_000 })
  client.send(head('Content-Length: 0'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(server.events, [], 'it waits for its turn')
  finish()
  t.match(await client.closed, /\r\n\r\nokHTTP\/1\.1 503 [^]*connection: close[^]*<Code>ServiceUnavailable</i)
  t.strictSame(server.handled, ['PUT /a'])
  t.strictSame(await drained, { finished: 1, cut: 0 })
  t.match(server.events, [{ status: 503, outcome: 'refused' }])
})

t.test('the end of a download that was handed over and not yet taken is not lost', async (t) => {
  const size = 20_000_000
  const server = await start(t, {
    handler: async (_request, response) => answer(response, Buffer.alloc(size, 'x')),
  })
  const client = rawClient(server.port)
  client.send(head('Content-Length: 0'))
  await client.until(/x/)
  client.socket.pause()
  const drained = server.listeners.close({ timeoutMs: 10_000 })
  setTimeout(() => client.socket.resume(), 100)
  t.equal((await client.closed).match(/x+$/)?.[0].length, size)
  t.strictSame(await drained, { finished: 1, cut: 0 })
})

t.test('a handler that is still at work after its client left is waited for', async (t) => {
  let done: () => void = () => undefined
  const server = await start(t, { handler: () => new Promise((resolve) => (done = resolve)) })
  const client = rawClient(server.port)
  client.send(head('Content-Length: 0'))
  await running(server, 1)
  client.socket.destroy()
  let ended = false
  const drained = server.listeners.close({ timeoutMs: 10_000 }).then((result) => {
    ended = true
    return result
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(ended, false, 'its completion event is still to come')
  done()
  t.strictSame(await drained, { finished: 1, cut: 0 })
})

t.test('of requests that wait behind another one on a connection that breaks none is begun', async (t) => {
  let gone = 0
  const server = await start(t, {
    handler: async (_request, response) => {
      await new Promise((resolve) => response.onOver(resolve))
      gone += 1
    },
  })
  const client = rawClient(server.port)
  client.send(head('Content-Length: 0').repeat(4))
  await running(server, 1)
  client.socket.destroy()
  await running(server, 0)
  t.equal(gone, 1, 'the one that runs is told, though more bytes wait behind it')
  t.strictSame(server.handled, ['PUT /a'])
})

t.test('an upload that was answered early can read its answer to the end, while draining too', async (t) => {
  const server = await start(t, {
    handler: async (_request, response) => {
      answer(response, 'refused', 403)
    },
  })
  const client = rawClient(server.port, 'stubborn')
  client.socket.pause()
  client.send(head('Content-Length: 3000000'))
  await eventually(() => server.handled.length === 1)
  const drained = server.listeners.close({ timeoutMs: 10_000 })
  const chunk = Buffer.alloc(64 * 1024)
  for (let i = 0; i < 40; i++) {
    if (!client.socket.write(chunk)) await once(client.socket, 'drain')
  }
  client.socket.resume()
  t.match(await client.until(/refused$/), /403 Forbidden/)
  t.notMatch(client.received(), /ECONNRESET|EPIPE/)
  client.socket.destroy()
  t.match(await drained, { cut: 0 })
})

t.test('a handler that throws breaks its own request and nothing else', async (t) => {
  const server = await start(t, {
    handler: async (request, response, context) => {
      if (request.url === '/bad') throw new Error('a fault of ours')
      await countBody(request, response, context)
    },
  })
  const bad = rawClient(server.port)
  bad.send('GET /bad HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal(await bad.closed, '')
  t.match(server.log, [{ level: 'error', err: { message: 'a fault of ours' } }])
  const good = rawClient(server.port)
  good.send(head('Content-Length: 0', 'Connection: close'))
  t.match(await good.closed, /got 0$/)
  t.equal(server.listeners.inFlight(), 0)
})
