import { connect } from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Connection } from '../../../src/upstream/lean/connection.js'
import { LeanExchange } from '../../../src/upstream/lean/exchange.js'
import type { Pool } from '../../../src/upstream/lean/pool.js'
import { failsWith, getRequest, never, rawUpstream } from '../raw-upstream.js'

// The pool verifies. A key must not depend on that alone: what it lends is looked at before a byte is written.
t.test('a connection whose certificate was not verified gets nothing, new or kept', async (t) => {
  for (const isKept of [false, true]) {
    const upstream = await rawUpstream(t, () => undefined)
    const socket = connect({ host: '127.0.0.1', port: upstream.port, rejectUnauthorized: false })
    t.teardown(() => socket.destroy())
    let isLent = false
    const pool = {
      now: () => performance.now(),
      stepBack: () => undefined,
      ask: (_hostname: string, _port: number, taker: Parameters<Pool['ask']>[2]) => {
        const connection = new Connection(socket, taker, () => performance.now())
        const lend = () => {
          isLent = true
          taker.onLease({ connection, giveBack: () => t.fail('given back'), discard: () => socket.destroy() })
        }
        if (isKept) socket.once('secureConnect', lend)
        else lend()
      },
    } as unknown as Pool
    const limits = { connectTimeoutMs: 5000, idleTimeoutMs: 5000 }
    const exchange = new LeanExchange(
      getRequest(upstream.port),
      never(),
      limits,
      pool,
      () => t.fail('sent again') as never,
    )
    exchange.begin()
    await failsWith(t, exchange.result, { reason: 'tls', sent: false, message: /not verified/ })
    t.ok(isLent)
    t.notOk(socket.authorized)
    // What was written would be there by then.
    await delay(50)
    t.notOk(
      upstream.connections.some((one) => one.received() !== ''),
      'nothing was written',
    )
  }
})
