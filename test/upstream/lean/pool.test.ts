import t from 'tap'
import { connectionPool, type Lease, type Taker } from '../../../src/upstream/lean/pool.js'
import { testCertificates } from '../../support/certificates.js'
import { eventually, failsWith, getRequest, never, OK, rawUpstream, textOf, transportFor } from '../raw-upstream.js'

t.test('a connection with bytes of a request that are still here is no connection for the next one', async (t) => {
  const upstream = await rawUpstream(t, ({ socket }) => void socket.removeAllListeners('data').pause())
  const pool = connectionPool(
    {
      connectTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      keepAliveMs: 5000,
      maxSockets: 1,
      ca: testCertificates().authority.cert,
    },
    true,
  )
  t.teardown(() => pool.close())
  const lent = new Promise<Lease>((resolve) => {
    let lease: Lease
    const taker: Partial<Taker> = {
      onLease: (given) => (lease = given),
      onConnected: () => resolve(lease),
      onTick: () => undefined,
      onClosed: () => undefined,
      onHalfClosed: () => undefined,
      onError: () => undefined,
      onDrain: () => undefined,
    }
    pool.ask('127.0.0.1', upstream.port, taker as Taker, pool.now())
  })
  const lease = await lent
  const { socket } = lease.connection
  const piece = Buffer.alloc(1024 * 1024)
  while (socket.writableLength === 0) {
    lease.connection.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  lease.giveBack(60)
  t.equal(pool.counts().free, 0)
  await eventually(() => pool.counts().inUse === 0)
})

t.test('a kept connection that ends within an answer was not dead: the request does not go out twice', async (t) => {
  for (const begun of ['H', 'HTTP/1.1 200 OK\r\nContent-', 'HTTP/1.1 100 Continue\r\n\r\n']) {
    const upstream = await rawUpstream(t, ({ socket }) => {
      let requests = 0
      socket.on('data', () => ((requests += 1) === 1 ? socket.write(OK) : socket.end(begun)))
    })
    const { transport, stats } = transportFor(t, { pass: 'lean' })
    await textOf((await transport(getRequest(upstream.port), never())).body)
    await failsWith(t, transport(getRequest(upstream.port, { method: 'POST' }), never()), { reason: 'reset' })
    t.equal(upstream.connections.length, 1)
    t.equal(stats().retries, 0)
  }
})
