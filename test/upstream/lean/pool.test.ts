import t from 'tap'
import { connectionPool, type Lease, type Taker } from '../../../src/upstream/lean/pool.js'
import { testCertificates } from '../../support/certificates.js'
import { eventually, rawUpstream } from '../raw-upstream.js'

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
