import t from 'tap'
import { answer, countBody, eventually, exchange, rawClient, sizeOf, start } from '../harness.js'

const PUT = 'PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED =
  'PUT /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n'
const GET = 'GET /c HTTP/1.1\r\nHost: x\r\n\r\n'
const LAST = 'GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const PIPELINE = PUT + CHUNKED + GET + LAST
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const sizes = (said: string) => [...said.matchAll(/got (\d+)/g)].map(([, size]) => size)

t.test('a pipeline is served in order, however its bytes are split', async (t) => {
  const { port, handled, log } = await start(t)
  for (let at = 1; at < PIPELINE.length; at += 1) {
    const client = rawClient(port)
    client.send(PIPELINE.slice(0, at))
    if (at % 3 === 0) await pause(1)
    client.send(PIPELINE.slice(at))
    const said = await client.closed
    if (sizes(said).join(' ') !== '5 5 0 0') t.fail(`split at ${at}: ${said}`)
  }
  t.equal(handled.length, 4 * (PIPELINE.length - 1))
  const bytewise = rawClient(port)
  for (const byte of PIPELINE) {
    bytewise.send(byte)
    await new Promise(setImmediate)
  }
  t.strictSame(sizes(await bytewise.closed), ['5', '5', '0', '0'], 'byte by byte')
  t.strictSame(
    log.filter(({ level }) => level === 'error'),
    [],
  )
})

t.test('a connection that ends within a request: its handler never sees a whole body', async (t) => {
  for (const text of [PUT, CHUNKED]) {
    for (let length = 1; length < text.length; length += 1) {
      const ends: string[] = []
      const { port, handled, listeners } = await start(t, {
        handler: async (request, response) => {
          const body = request.openBody()
          body.on('end', () => ends.push('whole'))
          body.on('error', (error: Error & { code?: string }) => ends.push(String(error.code)))
          body.resume()
          await new Promise((resolve) => response.onOver((how) => resolve(ends.push(how))))
        },
      })
      const client = rawClient(port, 'stubborn')
      client.socket.end(Buffer.from(text.slice(0, length), 'latin1'))
      const said = await client.closed
      const isBegun = length >= text.indexOf('\r\n\r\n') + 4
      t.match(said, /^HTTP\/1\.1 400 [^]*<Code>BadRequest</, `${length} bytes are answered`)
      t.equal(handled.length, isBegun ? 1 : 0)
      t.strictSame(ends.sort(), isBegun ? ['IncompleteBody', 'cut'] : [])
      t.equal(listeners.inFlight(), 0)
      await listeners.close({ timeoutMs: 0 })
    }
  }
})

t.test('a connection that is reset within a body: the handler hears of both', async (t) => {
  const heard: string[] = []
  const { port, listeners, handled } = await start(t, {
    handler: async (request, response) => {
      request.openBody().on('error', ({ message }) => heard.push(message))
      await new Promise((resolve) => response.onOver((how) => resolve(heard.push(how))))
      t.equal(response.destroyed, true)
    },
  })
  const client = rawClient(port)
  client.send(PUT.slice(0, -1))
  await eventually(() => handled.length === 1)
  client.socket.resetAndDestroy()
  await eventually(() => listeners.inFlight() === 0)
  t.match(heard.sort(), [/^You did not provide the number of bytes/, 'cut'])
})

t.test('a body that nobody has asked for yet waits, and is whole when somebody does', async (t) => {
  for (const size of [5, 64 * 1024, 3_000_000]) {
    const { port } = await start(t, {
      handler: async (request, response, context) => {
        await pause(50)
        await countBody(request, response, context)
      },
    })
    const head = `PUT /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`
    t.strictSame(sizes(await exchange(port, head + 'x'.repeat(size))), [String(size)])
  }
})

t.test('a body that is read more slowly than it comes is held back', async (t) => {
  const SIZE = 20_000_000
  let received = 0
  const { port } = await start(t, {
    handler: async (request, response) => {
      const body = request.openBody()
      let most = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        received += chunk.length
        most = Math.max(most, body.readableLength)
        if (received < 2_000_000) await pause(1)
      }
      t.ok(most < 512 * 1024, `${most} bytes waited at most`)
      answer(response, 'done')
    },
  })
  const client = rawClient(port)
  client.send(`PUT /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${SIZE}\r\n\r\n`)
  client.socket.write(Buffer.alloc(SIZE))
  t.match(await client.closed, /done$/)
  t.equal(received, SIZE)
})

t.test('a body whose reader gives up does not end the answer, and the connection goes on', async (t) => {
  let sent: () => void = () => undefined
  const whole = new Promise<void>((resolve) => (sent = resolve))
  const { port } = await start(t, {
    handler: async (request, response) => {
      const body = request.openBody()
      await new Promise((resolve) => body.once('readable', resolve))
      body.destroy()
      await whole
      await pause(50)
      answer(response, 'enough')
    },
  })
  const client = rawClient(port)
  client.send(`PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n`)
  client.socket.write(Buffer.alloc(3_000_000), () => sent())
  await client.until(/enough$/)
  t.match(client.received(), /connection: keep-alive/)
  client.send(PUT.replace('PUT /a HTTP/1.1\r\n', 'PUT /a HTTP/1.1\r\nConnection: close\r\n'))
  t.match(await client.closed, /enough[^]*enough$/)
})

t.test('what comes far ahead of an answer waits in the network', async (t) => {
  let finish: () => void = () => undefined
  const { port, handled } = await start(t, {
    handler: async (request, response, context) => {
      if (request.url === '/first') await new Promise<void>((resolve) => (finish = resolve))
      await countBody(request, response, context)
    },
  })
  const client = rawClient(port)
  const count = 2_000
  const large = GET.replace('Host', `X-A: ${'a'.repeat(10_000)}\r\nHost`)
  client.send(GET.replace('/c', '/first'))
  await eventually(() => handled.length === 1)
  client.send(large.repeat(count) + LAST)
  await pause(200)
  t.ok(client.socket.writableLength > 0, 'the client could not send all of it')
  t.equal(handled.length, 1)
  finish()
  const said = await client.closed
  t.equal(sizes(said).length, count + 2)
})

t.test('a client that leaves while its request runs is told to the handler', async (t) => {
  const heard: string[] = []
  const { port, handled, listeners } = await start(t, {
    handler: (_request, response) => new Promise((resolve) => response.onOver((how) => resolve(void heard.push(how)))),
  })
  for (const leave of ['end', 'destroy'] as const) {
    const client = rawClient(port)
    client.send(GET)
    await eventually(() => handled.length > heard.length)
    client.socket[leave]()
    await eventually(() => listeners.inFlight() === 0)
  }
  t.strictSame(heard, ['cut', 'cut'])
})

t.test('a handler that is done with its request long after the answer holds up nobody', async (t) => {
  const { port, listeners } = await start(t, {
    handler: async (_request, response) => {
      answer(response, 'quick')
      await pause(300)
    },
  })
  const client = rawClient(port)
  client.send(GET)
  await client.until(/quick$/)
  client.send(LAST)
  t.match(await client.closed, /quick[^]*quick$/)
  t.equal(listeners.inFlight(), 2)
  await eventually(() => listeners.inFlight() === 0)
})

t.test('an answer that was sent can be given up without harm to the next one', async (t) => {
  const responses: { destroy(): void }[] = []
  const { port } = await start(t, {
    handler: async (request, response) => {
      responses.push(response)
      if (request.url === '/d') responses[0]?.destroy()
      answer(response, 'fine')
    },
  })
  const client = rawClient(port)
  client.send(GET)
  await client.until(/fine$/)
  client.send(LAST)
  t.match(await client.closed, /fine[^]*fine$/)
})

t.test('an upload that is refused by a handler that answers at once', async (t) => {
  const { port, handled } = await start(t, { handler: async (_request, response) => answer(response, 'no', 403) })
  const small = rawClient(port)
  small.send(PUT)
  await small.until(/no$/)
  t.match(small.received(), /connection: keep-alive/, 'its body was here: the connection is kept')
  small.send(PUT.slice(0, -1))
  await small.until(/no[^]*no$/)
  t.match(small.received(), /connection: close/, 'its body was not whole')
  small.send(`o${GET}`)
  await small.closed
  t.equal(handled.length, 2, 'and nothing runs behind it')
})

t.test('sizes of unread bodies come to nothing', async (t) => {
  const { port } = await start(t, {
    handler: async (request, response) => {
      t.equal(await sizeOf(request), 0)
      answer(response, 'empty')
    },
  })
  t.match(await exchange(port, LAST), /empty$/)
})

t.test('a handler that answers from within its body: nothing is begun behind a connection that closes', async (t) => {
  const { port, handled } = await start(t, {
    handler: async (request, response) => {
      let size = 0
      request.openBody().on('data', (piece: Buffer) => {
        if ((size += piece.length) === 5) answer(response, 'early', 403)
      })
      await new Promise<void>((resolve) => response.onOver(() => resolve()))
    },
  })
  const client = rawClient(port)
  client.send(PUT.slice(0, -1))
  await eventually(() => handled.length === 1)
  await pause(20)
  client.send(`o${GET}`)
  t.match(await client.closed, /403 [^]*connection: close[^]*early$/)
  t.strictSame(handled, ['PUT /a'])
})

t.test(
  'a body that is none, behind a head that is refused at once: the refusal is what the client hears',
  async (t) => {
    for (const isGivenUp of [false, true]) {
      const { port, handled, events, log } = await start(t, {
        handler: async (_request, response) => {
          if (isGivenUp) response.destroy()
          else answer(response, 'x'.repeat(3_000_000), 403)
        },
      })
      const said = await exchange(port, CHUNKED.replace('3;x=y', 'nonsense') + GET)
      t.match(said.slice(0, 13), isGivenUp ? /^(?:\[ECONNRESET\])?$/ : /^HTTP\/1\.1 403 /)
      if (!isGivenUp) t.equal(said.length - said.indexOf('\r\n\r\n') - 4, 3_000_000)
      t.strictSame(handled, ['PUT /b'])
      t.strictSame(events, [], 'its handler tells of it')
      t.strictSame(log, [])
    }
  },
)

t.test('a refused client that goes on with what is no body, and never reads', async (t) => {
  const warnings: Error[] = []
  const hear = (warning: Error) => void warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const { port, handled } = await start(t, {
    handler: async (_request, response) => answer(response, Buffer.alloc(20_000_000), 403),
  })
  const client = rawClient(port)
  client.socket.pause()
  client.send(CHUNKED.slice(0, CHUNKED.indexOf('3;')))
  await eventually(() => handled.length === 1)
  for (let i = 0; i < 15; i += 1) {
    client.send('nonsense\r\n')
    await pause(5)
  }
  client.socket.resume()
  t.ok((await client.closed).length > 20_000_000, 'it is let finish')
  t.strictSame(warnings, [])
})
