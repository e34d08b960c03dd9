import { getEventListeners } from 'node:events'
import { createServer } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { UpstreamRequest } from '../../src/upstream/types.js'
import {
  answering,
  endless,
  eventually,
  failsWith,
  getRequest,
  never,
  OK,
  putRequest,
  rawUpstream,
  textOf,
  transportFor,
} from './raw-upstream.js'

t.test('the answer', async (t) => {
  t.test('its head, as fields, and its body', async (t) => {
    const upstream = await rawUpstream(
      t,
      answering(
        'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nX-Amz-Meta-A: \xc3\xa9\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      ),
    )
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    t.equal(answer.status, 206)
    t.equal(answer.fields.get('etag'), '"a"')
    t.equal(answer.fields.get('x-amz-meta-a'), '\xc3\xa9')
    t.equal(answer.fields.get('x-a'), '1,2')
    t.equal(await textOf(answer.body), 'abc')
  })

  t.test('HEAD, 204 and 304 have no body and leave the connection usable', async (t) => {
    const answers = [
      '200 OK\r\nContent-Length: 1000',
      '204 No Content',
      '304 Not Modified\r\nContent-Length: 50',
      '200 OK\r\nContent-Length: 0',
    ]
    const upstream = await rawUpstream(t, ({ socket }) =>
      socket.on('data', () => socket.write(`HTTP/1.1 ${answers.shift()!}\r\n\r\n`)),
    )
    const { transport } = transportFor(t)
    for (const [method, status] of [
      ['HEAD', 200],
      ['DELETE', 204],
      ['GET', 304],
      ['GET', 200],
    ] as const) {
      const answer = await transport(getRequest(upstream.port, { method }), never())
      t.equal(answer.status, status)
      t.equal(await textOf(answer.body), '')
    }
    t.equal(upstream.connections.length, 1)
  })

  t.test('interim answers are not answers', async (t) => {
    const interim =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
    const upstream = await rawUpstream(t, answering(interim + OK))
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    t.equal(answer.status, 200)
    t.equal(await textOf(answer.body), 'ok')
  })

  t.test('101 ends the request: nobody asked for another protocol', async (t) => {
    const upstream = await rawUpstream(
      t,
      answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    )
    await failsWith(t, transportFor(t).transport(getRequest(upstream.port), never()), { reason: 'protocol' })
  })

  t.test('a redirect is an answer, and is not followed', async (t) => {
    const other = await rawUpstream(t, answering(OK))
    const upstream = await rawUpstream(
      t,
      answering(
        `HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:${other.port}/\r\nContent-Length: 0\r\n\r\n`,
      ),
    )
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    t.equal(answer.status, 307)
    await textOf(answer.body)
    t.equal(other.connections.length, 0)
  })

  t.test('cut off, it is an error of its body, whatever the framing', async (t) => {
    const cuts = {
      'content-length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
      'inside a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc',
      'bad chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcxyz\r\n',
    }
    for (const [name, bytes] of Object.entries(cuts)) {
      for (const how of ['end', 'destroy', 'reset'] as const) {
        const upstream = await rawUpstream(t, ({ socket, until, reset }) => {
          void until(/\r\n\r\n/).then(() =>
            socket.write(bytes, () => {
              if (how === 'end') socket.end()
              else if (how === 'destroy') socket.destroy()
              else reset()
            }),
          )
        })
        const { transport, stats } = transportFor(t)
        const outcome = await transport(getRequest(upstream.port), never()).then(
          (answer) =>
            textOf(answer.body).then(
              () => 'complete',
              () => 'error',
            ),
          () => 'no answer', // a reset may overtake the head
        )
        t.not(outcome, 'complete', `${name}, ${how}`)
        if (how === 'end') t.equal(outcome, 'error', name)
        await eventually(() => stats().inUse === 0)
      }
    }
  })

  t.test('an error is kept for a taker who comes late', async (t) => {
    const upstream = await rawUpstream(t, ({ socket, until }) => {
      void until(/\r\n\r\n/).then(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    })
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    await upstream.connections[0]!.closed
    await sleep(20)
    await t.rejects(textOf(answer.body), { code: 'ECONNRESET' })
  })

  t.test('without a length it could be cut unseen: refused', async (t) => {
    for (const version of ['1.0', '1.1']) {
      const upstream = await rawUpstream(t, ({ socket, until }) => {
        void until(/\r\n\r\n/).then(() => socket.end(`HTTP/${version} 200 OK\r\n\r\nabc`))
      })
      await failsWith(t, transportFor(t).transport(getRequest(upstream.port), never()), { reason: 'protocol' })
    }
  })

  t.test('nonsense is a protocol failure', async (t) => {
    const nonsense = {
      garbage: 'SSH-2.0-OpenSSH\r\n\r\n',
      'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'length and chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'a huge head': `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(17_000)}\r\nContent-Length: 0\r\n\r\n`,
      'a head without end': `HTTP/1.1 200 OK\r\n${'X-Name: value\r\n'.repeat(10_000)}`,
      'a bare line feed in a field': 'HTTP/1.1 200 OK\r\nX: a\nb\r\nContent-Length: 0\r\n\r\n',
    }
    for (const [name, bytes] of Object.entries(nonsense)) {
      const upstream = await rawUpstream(t, answering(bytes))
      await failsWith(t, transportFor(t).transport(getRequest(upstream.port), never()), { reason: 'protocol' }, name)
    }
  })

  t.test('a head of 12 kB is taken', async (t) => {
    const upstream = await rawUpstream(
      t,
      answering(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(12_000)}\r\nContent-Length: 0\r\n\r\n`),
    )
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    t.equal(answer.fields.get('x')?.length, 12_000)
    await textOf(answer.body)
  })

  t.test('as many fields as there is room for: an object may have hundreds of metadata', async (t) => {
    const names = Array.from({ length: 800 }, (_, i) => `x-amz-meta-${i}`)
    const lines = names.map((name) => `${name}:\r\n`).join('')
    const upstream = await rawUpstream(t, answering(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${lines}\r\n`))
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    t.equal(answer.fields.size, 801)
    await textOf(answer.body)
  })

  t.test('is not read ahead of its taker', async (t) => {
    const total = 64 * 1024 * 1024
    let written = 0
    const upstream = await rawUpstream(t, ({ socket, until }) => {
      const chunk = Buffer.alloc(256 * 1024)
      const write = (): void => {
        while (written < total) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', write)
      void until(/\r\n\r\n/).then(() => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
        write()
      })
    })
    const answer = await transportFor(t).transport(getRequest(upstream.port), never())
    let before = -1
    while (before !== written) {
      before = written
      await sleep(100)
    }
    t.ok(written < total, `stopped at ${written} bytes`)
    let length = 0
    for await (const chunk of answer.body.stream()) length += (chunk as Buffer).length
    t.equal(length, total)
  })
})

t.test('an answer before the whole body was sent', async (t) => {
  const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\ndenied'
  const upload = (port: number, stream: Readable): UpstreamRequest => putRequest(port, 1e9, stream)

  t.test('is delivered, and sending stops, whether the upstream goes on reading or not', async (t) => {
    for (const goesOn of [true, false]) {
      const upstream = await rawUpstream(t, ({ socket, until }) => {
        void until(/\r\n\r\n/).then(() => {
          if (!goesOn) socket.pause()
          socket.write(refusal.replace('Connection: close\r\n', ''))
        })
      })
      const { transport, stats } = transportFor(t, { idleTimeoutMs: 600_000 })
      const stream = endless()
      const answer = await transport(upload(upstream.port, stream), never())
      t.equal(answer.status, 403)
      t.equal(stream.listenerCount('data'), 0)
      t.equal(stream.isPaused(), true)
      t.equal(await textOf(answer.body), 'denied')
      t.equal(stream.destroyed, false)
      await eventually(() => stats().inUse + stats().free === 0)
      t.pass('the connection is not used again')
      stream.destroy()
    }
  })

  t.test('is delivered where the upstream closes at once', async (t) => {
    for (let i = 0; i < 20; i += 1) {
      const upstream = await rawUpstream(t, ({ socket, until }) => {
        void until(/\r\n\r\n/).then(() => socket.end(refusal))
      })
      const stream = endless()
      const answer = await transportFor(t).transport(upload(upstream.port, stream), never())
      t.equal(await textOf(answer.body), 'denied')
      stream.destroy()
    }
  })

  t.test('is not believed where it says success', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const stream = endless()
    await failsWith(t, transportFor(t).transport(upload(upstream.port, stream), never()), {
      reason: 'protocol',
      sent: true,
    })
    stream.destroy()
  })

  t.test('the last byte is enough: the end of the stream may come after the answer', async (t) => {
    const upstream = await rawUpstream(
      t,
      ({ socket, until }) => void until(/\r\n\r\nabc$/).then(() => socket.write(OK)),
    )
    const { transport, stats } = transportFor(t)
    const stream = new PassThrough()
    stream.write('abc')
    const headers = { host: 'x', 'content-length': '3' }
    const answer = await transport(
      getRequest(upstream.port, { method: 'PUT', headers, body: { type: 'stream', stream } }),
      never(),
    )
    t.equal(await textOf(answer.body), 'ok')
    stream.end()
    await eventually(() => stats().free === 1)
    t.equal(stats().inUse, 0, 'the connection can be used again')
  })
})

t.test('time limits', async (t) => {
  t.test('no TLS handshake within connectTimeoutMs', async (t) => {
    const sockets = new Set<{ destroy(): void }>()
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
    server.listen(0, '127.0.0.1')
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { transport, stats } = transportFor(t, { connectTimeoutMs: 50 })
    await failsWith(t, transport(getRequest(port), never()), { reason: 'timeout', sent: false })
    await eventually(() => stats().inUse === 0)
  })

  t.test('no answer, and silence inside an answer', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }, index) => {
      if (index === 1) socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    })
    const { transport } = transportFor(t, { idleTimeoutMs: 60 })
    await failsWith(t, transport(getRequest(upstream.port), never()), { reason: 'timeout', sent: false })
    await upstream.connections[0]!.closed
    const answer = await transport(getRequest(upstream.port), never())
    await failsWith(t, textOf(answer.body), { reason: 'timeout' })
    await upstream.connections[1]!.closed
  })

  t.test('an upstream that stops reading', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }) => void socket.removeAllListeners('data').pause())
    const { transport } = transportFor(t, { idleTimeoutMs: 60 })
    const stream = endless()
    const request = putRequest(upstream.port, 1000000000, stream)
    await failsWith(t, transport(request, never()), { reason: 'timeout', sent: true })
    stream.destroy()
  })

  t.test('drops that keep coming are no silence; nor is a slow client, in either direction', async (t) => {
    const idleTimeoutMs = 60
    const upstream = await rawUpstream(t, ({ socket, until }) => {
      void until(/\r\n\r\nabc$/).then(async () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n')
        for (let i = 0; i < 6; i += 1) {
          await sleep(idleTimeoutMs / 3)
          socket.write('x')
        }
        socket.write('rest!!')
      })
    })
    const { transport } = transportFor(t, { idleTimeoutMs })
    const stream = new PassThrough()
    const request = putRequest(upstream.port, 3, stream)
    const answer = transport(request, never())
    stream.write('ab')
    await sleep(idleTimeoutMs * 3)
    stream.end('c')
    const { body } = await answer
    await sleep(idleTimeoutMs * 6)
    t.equal(await textOf(body), 'xxxxxxrest!!')
  })

  t.test('no free connection', async (t) => {
    const upstream = await rawUpstream(t, ({ socket, until }) => {
      void until(/\r\n\r\n/).then(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    })
    const { transport, stats } = transportFor(t, { idleTimeoutMs: 80, maxSockets: 1 })
    const first = await transport(getRequest(upstream.port), never())
    await failsWith(t, transport(getRequest(upstream.port), never()), { reason: 'timeout', message: /free/ })
    t.equal(stats().pending, 0)
    first.body.destroy()
  })
})

t.test('aborting', async (t) => {
  t.test('before it is sent: nothing is sent', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    await failsWith(t, transportFor(t).transport(getRequest(upstream.port), AbortSignal.abort()), {
      reason: 'aborted',
      sent: false,
    })
    t.ok(upstream.connections.every((connection) => connection.received() === ''))
  })

  t.test('while it waits for a connection: the next in line is served', async (t) => {
    const upstream = await rawUpstream(t, ({ socket, until }) => {
      void until(/\r\n\r\n/).then(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'))
      void until(/second/).then(() => socket.write(OK))
    })
    const { transport, stats } = transportFor(t, { maxSockets: 1 })
    const first = await transport(getRequest(upstream.port), never())
    const abort = new AbortController()
    const aborted = transport(getRequest(upstream.port, { path: '/aborted' }), abort.signal)
    const second = transport(getRequest(upstream.port, { path: '/second' }), never())
    t.equal(stats().pending, 2)
    abort.abort()
    await failsWith(t, aborted, { reason: 'aborted', sent: false })
    t.equal(stats().pending, 1)
    upstream.connections[0]!.socket.write('k')
    t.equal(await textOf(first.body), 'ok')
    t.equal(await textOf((await second).body), 'ok')
    t.notMatch(upstream.connections[0]!.received(), /aborted/)
    t.equal(getEventListeners(abort.signal, 'abort').length, 0)
  })

  t.test('during an upload and during a download: the upstream sees the end', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }, index) => {
      if (index === 1) socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    })
    const { transport, stats } = transportFor(t)
    const up = new AbortController()
    const stream = new PassThrough()
    stream.write('abc')
    const headers = { host: 'x', 'content-length': '10' }
    const upload = transport(
      getRequest(upstream.port, { method: 'PUT', headers, body: { type: 'stream', stream } }),
      up.signal,
    )
    upload.catch(() => undefined)
    await eventually(() => upstream.connections.length >= 1)
    await upstream.connections[0]!.until(/abc$/)
    up.abort()
    await failsWith(t, upload, { reason: 'aborted', sent: true })
    await upstream.connections[0]!.closed
    const down = new AbortController()
    const { body } = await transport(getRequest(upstream.port), down.signal)
    const read = textOf(body)
    read.catch(() => undefined)
    down.abort()
    await failsWith(t, read, { reason: 'aborted' })
    await upstream.connections[1]!.closed
    t.match(stats(), { inUse: 0, free: 0, pending: 0 })
  })

  t.test('destroying the body of an answer ends the upstream too', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }) => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    })
    const abort = new AbortController()
    const { body } = await transportFor(t).transport(getRequest(upstream.port), abort.signal)
    body.destroy()
    await upstream.connections[0]!.closed
    await sleep(5)
    t.equal(getEventListeners(abort.signal, 'abort').length, 0)
  })
})
