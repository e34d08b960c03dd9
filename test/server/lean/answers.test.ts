import t, { type Test } from 'tap'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { connect } from 'node:net'
import type { ClientResponse } from '../../../src/proxy/handler.js'
import { eventually, exchange, rawClient, start } from '../harness.js'

const get = (version = '1.1', method = 'GET') => `${method} / HTTP/${version}\r\nHost: x\r\nConnection: close\r\n\r\n`
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const none = new Map<string, string>()
const bytes = (text: string) => Buffer.from(text, 'latin1')

/** What a client is told by a handler that does this. */
async function told(t: Test, act: (response: ClientResponse) => unknown, request = get()): Promise<string> {
  const { port } = await start(t, {
    handler: async (_request, response) => {
      await act(response)
    },
  })
  return exchange(port, request)
}

t.test('how an answer is framed', async (t) => {
  const body = (response: ClientResponse) => {
    response.writeHead(200, none)
    response.write(bytes('one '))
    response.write(Buffer.alloc(0))
    response.end(bytes('two'))
  }
  const whole = (response: ClientResponse) => {
    response.writeHead(200, none)
    response.end(bytes('whole'))
  }
  t.match(await told(t, body), /transfer-encoding: chunked\r\n[^]*\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n$/)
  t.match(
    await told(t, body, get('1.0')),
    /^HTTP\/1\.1 200 OK\r\n(?!.*(?:chunked|length))[^]*connection: close\r\n\r\none two$/,
  )
  t.match(await told(t, body, get('1.1', 'HEAD')), /^(?!.*chunked)[^]*\r\n\r\n$/)
  t.match(await told(t, whole), /content-length: 5\r\n[^]*\r\n\r\nwhole$/)
  t.match(await told(t, whole, get('1.0')), /content-length: 5\r\n[^]*\r\n\r\nwhole$/)
  t.match(await told(t, whole, get('1.1', 'HEAD')), /connection: close\r\n\r\n$/)
  for (const status of [204, 304]) {
    const said = await told(t, (response) => {
      response.writeHead(status, none)
      response.end(bytes('nothing of it'))
    })
    t.match(said, new RegExp(`^HTTP/1\\.1 ${status} [^]*close\\r\\n\\r\\n$`))
    t.notMatch(said, /chunked|content-length/)
  }
})

t.test('HEAD keeps the length that it was given', async (t) => {
  const said = await told(
    t,
    (response) => {
      response.writeHead(200, new Map([['content-length', '12345']]))
      response.end()
    },
    get('1.1', 'HEAD'),
  )
  t.match(said, /content-length: 12345\r\n[^]*\r\n\r\n$/)
})

t.test('HTTP/1.0 connections are kept where the client asks and the length is known', async (t) => {
  const { port } = await start(t, {
    handler: async (request, response) => {
      response.writeHead(200, none)
      if (request.url === '/long') response.write(bytes('x'))
      response.end(bytes('y'))
    },
  })
  const client = rawClient(port)
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  t.match(await client.until(/y$/), /connection: keep-alive\r\n/)
  client.send('GET /long HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  t.match(await client.closed, /connection: close\r\n\r\nxy$/)
})

t.test('a date where there is none, and never two', async (t) => {
  const dated = (headers: ReadonlyMap<string, string>) => (response: ClientResponse) => {
    response.writeHead(200, headers)
    response.end()
  }
  t.match(await told(t, dated(none)), /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/)
  const said = await told(t, dated(new Map([['date', 'Thu, 01 Jan 1970 00:00:00 GMT']])))
  t.strictSame(said.match(/^date: .*$/gm), ['date: Thu, 01 Jan 1970 00:00:00 GMT'])
})

t.test('no header can end a line and begin another answer', async (t) => {
  const { port } = await start(t, {
    handler: async (request, response) => {
      const [name, value] = JSON.parse(decodeURIComponent(request.url.slice(1))) as [string, string]
      t.throws(() => response.writeHead(200, new Map([[name, value]])), /cannot be sent|not a number/)
      t.equal(response.headersSent, false, 'another answer can be given in its place')
      response.writeHead(500, new Map([['x-good', 'a\tb \xff']]))
      response.end()
    },
  })
  const values = [
    'a\r\nSet-Cookie: b',
    'a\nb',
    'a\rb',
    '\r\n\r\nHTTP/1.1 200 OK',
    'a\0',
    '\x7f',
    'a\u010d\u010ab',
    '\u{1f600}',
  ]
  const names = ['a\r\nb', 'a b', 'a:b', '', 'A', '\u010a', 'a\0', 'connection', 'transfer-encoding', 'keep-alive']
  const pairs = [...values.map((value) => ['x-a', value]), ...names.map((name) => [name, 'a'])]
  for (const value of ['', '-1', '1, 1', '0x1', '1 ', '9999999999999999']) pairs.push(['content-length', value])
  for (const pair of pairs) {
    const said = await exchange(
      port,
      `GET /${encodeURIComponent(JSON.stringify(pair))} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    t.match(said, /^HTTP\/1\.1 500 [^]*\r\nx-good: a\tb \xff\r\n/)
    t.equal(said.match(/HTTP\/1\.1/g)?.length, 1, JSON.stringify(pair))
  }
})

t.test('an answer is as long as it says, or its connection is cut', async (t) => {
  for (const [act, problem] of [
    [(response: ClientResponse) => response.end(bytes('four')), 'shorter'],
    [(response: ClientResponse) => response.end(), 'shorter'],
    [(response: ClientResponse) => response.end(bytes('sixsix')), 'longer'],
    [(response: ClientResponse) => response.write(bytes('sixsix')), 'longer'],
  ] as const) {
    let how = ''
    const said = await told(t, (response) => {
      response.onOver((over) => (how = over))
      response.writeHead(200, new Map([['content-length', '5']]))
      t.throws(() => act(response), new Error(`the answer is ${problem} than its content-length`))
    })
    t.equal(said, '')
    t.equal(how, 'cut')
  }
  const begun = await told(t, (response) => {
    response.writeHead(200, new Map([['content-length', '5']]))
    response.write(bytes('abc'))
    t.throws(() => response.write(bytes('def')), /longer/)
  })
  t.notMatch(begun, /def/)
})

t.test('what is done out of turn is an error of the handler', async (t) => {
  const said = await told(t, (response) => {
    t.throws(() => response.write(bytes('x')), /before a head/)
    t.throws(() => response.writeHead(100, none), /final/)
    response.writeHead(200, none)
    t.throws(() => response.writeHead(200, none), /one head/)
    response.end(bytes('x'))
    t.throws(() => response.write(bytes('y')), /after the end/)
    t.throws(() => response.end(), /after the end/)
  })
  t.match(said, /\r\n\r\nx$/)
})

t.test('a reader that is slower than the handler holds it back, and is given everything', async (t) => {
  const SIZE = 300
  let waited = 0
  let most = 0
  const { port } = await start(t, {
    handler: async (_request, response) => {
      response.writeHead(200, new Map([['content-length', String(SIZE * 65_536)]]))
      let count = 0
      const go = () => {
        while (count < SIZE) {
          count += 1
          if (count === SIZE) response.end(Buffer.alloc(65_536, count))
          else if (!response.write(Buffer.alloc(65_536, count))) {
            waited += 1
            return
          }
          most = Math.max(most, count)
        }
      }
      response.onDrain(go)
      go()
      await new Promise((resolve) => response.onOver(resolve))
    },
  })
  const client = connect(port, '127.0.0.1')
  client.write(get())
  await pause(100)
  const before = most
  let size = 0
  for await (const chunk of client) size += (chunk as Buffer).length
  t.ok(before < SIZE, `${before} pieces were taken before anybody read`)
  t.ok(waited > 1)
  t.ok(size > SIZE * 65_536)
})

t.test('the body as a stream: its end, its error, and a client that leaves', async (t) => {
  const outcomes: string[] = []
  const { port, listeners } = await start(t, {
    handler: async (request, response) => {
      response.onOver((how) => outcomes.push(how))
      response.writeHead(200, none)
      const source = new Readable({ read: () => undefined })
      source.push('some')
      if (request.url === '/end') source.push(null)
      if (request.url === '/error') setTimeout(() => source.destroy(new Error('the upstream broke')), 50)
      try {
        await pipeline(source, response.bodyStream())
        outcomes.push('ended')
      } catch (error) {
        outcomes.push((error as Error & { code?: string }).code ?? (error as Error).message)
      }
    },
  })
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  t.match(await exchange(port, ask('/end')), /some\r\n0\r\n\r\n$/)
  t.strictSame(outcomes.splice(0).sort(), ['ended', 'sent'])
  t.notMatch(await exchange(port, ask('/error')), /0\r\n\r\n$/, 'never looks whole')
  t.strictSame(outcomes.splice(0).sort(), ['cut', 'the upstream broke'])
  const leaving = rawClient(port)
  leaving.send(ask('/leave'))
  await leaving.until(/some/)
  leaving.socket.destroy()
  await eventually(() => listeners.inFlight() === 0)
  t.strictSame(outcomes.sort(), ['ERR_STREAM_PREMATURE_CLOSE', 'cut'])
})

t.test('the time that a kept connection may wait is told in whole seconds, where it is one', async (t) => {
  for (const [keepAliveMs, line] of [
    [10_000, /connection: keep-alive\r\nkeep-alive: timeout=10\r\n\r\n/],
    [2_999, /keep-alive: timeout=2\r\n/],
    [400, /connection: keep-alive\r\n\r\n/],
  ] as const) {
    const { port } = await start(t, {
      timeouts: { headersMs: 10_000, clientIdleMs: 10_000, keepAliveMs, drainMs: 1_000 },
      handler: async (_request, response) => {
        response.writeHead(200, none)
        response.end(bytes('x'))
      },
    })
    const client = rawClient(port)
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.match(await client.until(/x$/), line)
    client.socket.destroy()
  }
})

t.test('an answer that ends with its connection is not taken for whole where it was cut', async (t) => {
  const cut = async (response: ClientResponse) => {
    response.writeHead(200, none)
    response.write(bytes('a part'))
    await pause(20)
    response.destroy()
  }
  t.match(await told(t, cut, get('1.0')), /a part\[ECONNRESET\]$/)
  t.match(await told(t, cut), /a part\r\n$/, 'a chunked one has no last chunk')
  const begin = async (response: ClientResponse) => {
    response.writeHead(200, none)
    response.write(bytes('a part'))
    await new Promise<void>((resolve) => response.onOver(() => resolve()))
  }
  const { port, listeners } = await start(t, { handler: (_request, response) => begin(response) })
  const client = rawClient(port)
  client.send(get('1.0'))
  await client.until(/a part$/)
  await listeners.close({ timeoutMs: 50 })
  t.match(await client.closed, /a part\[ECONNRESET\]$/, 'by a drain')
})
