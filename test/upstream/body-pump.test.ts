import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import {
  answering,
  eventually,
  failsWith,
  getRequest,
  never,
  OK,
  putRequest,
  rawUpstream,
  streamOf,
  textOf,
  transportFor,
} from './raw-upstream.js'

t.test('the body', async (t) => {
  t.test('goes out whole, with backpressure: a slow upstream is not buffered for', async (t) => {
    const total = 24 * 1024 * 1024
    let produced = 0
    const hash = createHash('sha256')
    const stream: Readable = new Readable({
      read: () => {
        const chunk = randomBytes(64 * 1024)
        hash.update(chunk)
        produced += chunk.length
        stream.push(chunk)
        if (produced === total) stream.push(null)
      },
    })
    const seen = createHash('sha256')
    let resume = (): void => undefined
    const upstream = await rawUpstream(t, ({ socket }) => {
      socket.removeAllListeners('data')
      socket.pause()
      resume = () => {
        let text = ''
        let bytes = 0
        socket.on('data', (chunk: Buffer) => {
          if (!text.includes('\r\n\r\n')) {
            text += chunk.toString('latin1')
            const end = text.indexOf('\r\n\r\n')
            if (end === -1) return
            chunk = Buffer.from(text.slice(end + 4), 'latin1')
          }
          seen.update(chunk)
          bytes += chunk.length
          if (bytes === total) socket.write(OK)
        })
        socket.resume()
      }
    })
    const { transport } = transportFor(t)
    const headers = { host: 'x', 'content-length': String(total) }
    const answer = transport(
      getRequest(upstream.port, { method: 'PUT', headers, body: { type: 'stream', stream } }),
      never(),
    )
    let before = -1
    while (before !== produced || produced === 0) {
      before = produced
      await sleep(100)
    }
    t.ok(produced < total, `stopped at ${produced} bytes`)
    resume()
    t.equal(await textOf((await answer).body), 'ok')
    t.equal(seen.digest('hex'), hash.digest('hex'))
  })

  t.test('without a length is sent in chunks where the request says so', async (t) => {
    const upstream = await rawUpstream(
      t,
      ({ socket, until }) => void until(/\r\n0\r\n\r\n$/).then(() => socket.write(OK)),
    )
    const { transport } = transportFor(t)
    const headers = { host: 'x', 'transfer-encoding': 'chunked' }
    const request = getRequest(upstream.port, { method: 'PUT', headers, body: streamOf(Buffer.from('hello')) })
    await textOf((await transport(request, never())).body)
    t.match(upstream.connections[0]!.received(), /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/)
  })

  t.test('may be empty', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const { transport } = transportFor(t)
    for (const stream of [Readable.from([]), Readable.from([Buffer.alloc(0)])]) {
      const request = putRequest(upstream.port, 0, stream)
      t.equal(await textOf((await transport(request, never())).body), 'ok')
    }
  })

  t.test('that is not of the declared length never becomes a whole request', async (t) => {
    for (const [declared, message] of [
      [5, /longer/],
      [7, /shorter/],
    ] as const) {
      const upstream = await rawUpstream(t, () => undefined)
      const { transport } = transportFor(t)
      const stream = new PassThrough()
      stream.write('abc')
      const answer = transport(putRequest(upstream.port, declared, stream), never())
      answer.catch(() => undefined)
      await eventually(() => upstream.connections.length === 1)
      await upstream.connections[0]!.until(/abc$/)
      stream.end('def')
      await failsWith(t, answer, { reason: 'aborted', sent: true, message })
      await upstream.connections[0]!.closed
      t.match(upstream.connections[0]!.received(), declared === 7 ? /\r\n\r\nabc(?:def)?$/ : /\r\n\r\nabc$/)
    }
  })

  t.test('that breaks ends the upstream and its error comes back as it is', async (t) => {
    const upstream = await rawUpstream(t, () => undefined)
    const { transport } = transportFor(t)
    const stream = new PassThrough()
    const request = putRequest(upstream.port, 100, stream)
    const answer = transport(request, never())
    stream.write('abc')
    const error = new Error('bad chunk signature')
    await eventually(() => upstream.connections.length > 0)
    await upstream.connections[0]!.until(/abc$/)
    stream.destroy(error)
    t.equal(await answer.catch((caught: unknown) => caught), error)
    await upstream.connections[0]!.closed
    t.equal(stream.listenerCount('data') + stream.listenerCount('end') + stream.listenerCount('close'), 0)
  })

  t.test('that is closed halfway without a word is an end too', async (t) => {
    const upstream = await rawUpstream(t, () => undefined)
    const { transport } = transportFor(t)
    const stream = new PassThrough()
    stream.write('abc')
    const answer = transport(putRequest(upstream.port, 100, stream), never())
    await eventually(() => upstream.connections.length > 0)
    await upstream.connections[0]!.until(/abc$/)
    stream.destroy()
    await failsWith(t, answer, { reason: 'aborted', sent: true, message: /before its end/ })
    await upstream.connections[0]!.closed
  })

  t.test('that was broken or closed before does not hang', async (t) => {
    const upstream = await rawUpstream(t, () => undefined)
    const { transport } = transportFor(t)
    const broken = new PassThrough()
    const error = new Error('gone')
    broken.on('error', () => undefined)
    broken.destroy(error)
    const closed = new PassThrough()
    closed.destroy()
    await sleep(1)
    const headers = { host: 'x', 'content-length': '100' }
    const put = (stream: Readable): Promise<unknown> =>
      transport(getRequest(upstream.port, { method: 'PUT', headers, body: { type: 'stream', stream } }), never())
    t.equal(await put(broken).catch((caught: unknown) => caught), error)
    await failsWith(t, put(closed), { reason: 'aborted', sent: false })
  })

  t.test('is left alone, and may fail later, when the upstream is not there', async (t) => {
    const { transport } = transportFor(t)
    const stream = new PassThrough()
    stream.write('abc')
    const headers = { host: 'x', 'content-length': '100' }
    const request = getRequest(1, { method: 'PUT', headers, body: { type: 'stream', stream } })
    await failsWith(t, transport(request, never()), { reason: 'connect', sent: false })
    t.equal(stream.destroyed, false)
    t.equal(stream.readableLength, 3, 'nothing was taken')
    stream.destroy(new Error('nobody listens'))
    await sleep(1)
  })
})
