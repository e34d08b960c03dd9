import { getEventListeners } from 'node:events'
import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import {
  answering,
  eventually,
  failsWith,
  getRequest,
  never,
  OK,
  rawUpstream,
  streamOf,
  textOf,
  transportFor,
} from './raw-upstream.js'

t.test('a kept connection that is dead', async (t) => {
  /** Serves one request per connection, and resets the connection when the next one comes. */
  const closing = async (t: Parameters<typeof rawUpstream>[0], served: (index: number) => number) =>
    rawUpstream(t, ({ socket, reset }, index) => {
      let requests = 0
      socket.on('data', () => {
        requests += 1
        if (requests > served(index)) reset()
        else socket.write(OK)
      })
    })

  t.test('is replaced by a new one for a request without body, once', async (t) => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'POST']) {
      const upstream = await closing(t, () => 1)
      const { transport, stats } = transportFor(t)
      await textOf((await transport(getRequest(upstream.port), never())).body)
      const answer = await transport(
        getRequest(upstream.port, { method, headers: { host: 'x', 'x-amz-date': 'd' } }),
        never(),
      )
      await textOf(answer.body)
      t.equal(answer.status, 200)
      t.equal(upstream.connections.length, 2)
      t.equal(stats().retries, 1)
      const [first, second] = upstream.connections.map((connection) => connection.received().split('\r\n\r\n').at(-2)!)
      t.equal(second, first, `${method}: the same bytes again`)
    }
  })

  t.test('is not replaced by another kept one', async (t) => {
    const upstream = await closing(t, (index) => (index < 2 ? 1 : 9))
    const { transport, stats } = transportFor(t)
    const both = [transport(getRequest(upstream.port), never()), transport(getRequest(upstream.port), never())]
    for (const answer of await Promise.all(both)) await textOf(answer.body)
    await eventually(() => stats().free === 2)
    t.equal(await textOf((await transport(getRequest(upstream.port), never())).body), 'ok')
    t.equal(upstream.connections.length, 3)
  })

  t.test('is not replaced twice', async (t) => {
    const upstream = await closing(t, (index) => (index === 0 ? 1 : 0))
    const { transport } = transportFor(t)
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await failsWith(t, transport(getRequest(upstream.port), never()), { reason: 'reset', sent: false })
    t.equal(upstream.connections.length, 2)
  })

  t.test('is not replaced where it was new', async (t) => {
    const upstream = await closing(t, () => 0)
    await failsWith(t, transportFor(t).transport(getRequest(upstream.port), never()), { reason: 'reset' })
    t.equal(upstream.connections.length, 1)
  })

  t.test('is not replaced when a byte of the body was taken', async (t) => {
    const upstream = await closing(t, () => 1)
    const { transport, stats } = transportFor(t)
    await textOf((await transport(getRequest(upstream.port), never())).body)
    const headers = { host: 'x', 'content-length': '3' }
    const request = getRequest(upstream.port, { method: 'PUT', headers, body: streamOf(Buffer.from('abc')) })
    await failsWith(t, transport(request, never()), { reason: 'reset', sent: true })
    t.equal(stats().retries, 0)
    t.equal(upstream.connections.length, 1)
  })

  t.test('is replaced when nothing of the body had come yet', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const { transport, stats } = transportFor(t)
    await textOf((await transport(getRequest(upstream.port), never())).body)
    const stream = new PassThrough()
    const headers = { host: 'x', 'content-length': '3' }
    const answer = transport(
      getRequest(upstream.port, { method: 'PUT', headers, body: { type: 'stream', stream } }),
      never(),
    )
    await eventually(() => stream.listenerCount('data') > 0)
    upstream.connections[0]!.reset()
    await eventually(() => upstream.connections.length >= 2)
    stream.end('abc')
    t.equal(await textOf((await answer).body), 'ok')
    t.match(upstream.connections[1]!.received(), /\r\n\r\nabc$/)
    t.equal(stats().retries, 1)
  })

  t.test('is not replaced when it had begun to answer nonsense', async (t) => {
    const upstream = await rawUpstream(t, ({ socket }) => {
      let requests = 0
      socket.on('data', () => socket.write((requests += 1) === 1 ? OK : 'nonsense\r\n\r\n'))
    })
    const { transport } = transportFor(t)
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await failsWith(t, transport(getRequest(upstream.port), never()), { reason: 'protocol' })
    t.equal(upstream.connections.length, 1)
  })
})

t.test('a long signal gathers no listeners, a kept connection neither', async (t) => {
  const upstream = await rawUpstream(t, answering(OK))
  const { transport } = transportFor(t, { maxSockets: 1 })
  const { signal } = new AbortController()
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  for (let i = 0; i < 30; i += 1) {
    const headers = { host: 'x', 'content-length': '3' }
    await textOf(
      (
        await transport(
          getRequest(upstream.port, { method: 'PUT', headers, body: streamOf(Buffer.from('abc')) }),
          signal,
        )
      ).body,
    )
  }
  await sleep(5)
  t.equal(getEventListeners(signal, 'abort').length, 0)
  t.equal(upstream.connections.length, 1)
  t.same(warnings, [])
})

t.test('an upstream that is not there', async (t) => {
  const { transport } = transportFor(t)
  await failsWith(t, transport(getRequest(1), never()), {
    reason: 'connect',
    sent: false,
    code: /ECONNREFUSED/,
  })
  await failsWith(t, transport(getRequest(1, { hostname: 'no.such.host.invalid' }), never()), {
    reason: 'connect',
    sent: false,
  })
})

t.test('small pieces of a body do not wait for the acknowledgement of those before', async (t) => {
  const upstream = await rawUpstream(t, answering(OK))
  const { transport } = transportFor(t)
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const calls = t.capture(Socket.prototype, 'setNoDelay', Socket.prototype.setNoDelay)
  await textOf((await transport(getRequest(upstream.port), never())).body)
  const sides = calls().map(({ receiver, args }) => [(receiver as Socket).remotePort, args[0]] as const)
  t.ok(
    sides.some(([port, set]) => port === upstream.port && set === true),
    JSON.stringify(sides),
  )
})

t.test('a kept connection that ends within an answer was not dead: the request does not go out twice', async (t) => {
  for (const begun of ['H', 'HTTP/1.1 200 OK\r\nContent-', 'HTTP/1.1 100 Continue\r\n\r\n']) {
    const upstream = await rawUpstream(t, ({ socket }) => {
      let requests = 0
      socket.on('data', () => ((requests += 1) === 1 ? socket.write(OK) : socket.end(begun)))
    })
    const { transport, stats } = transportFor(t)
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await failsWith(t, transport(getRequest(upstream.port, { method: 'POST' }), never()), { reason: 'reset' })
    t.equal(upstream.connections.length, 1)
    t.equal(stats().retries, 0)
  }
})
