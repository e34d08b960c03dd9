import t from 'tap'
import { Hosts } from '../../../src/upstream/lean/hosts.js'
import { connectionPool, type Taker } from '../../../src/upstream/lean/pool.js'

t.test(
  'hosts without a connection are forgotten where there are too many: strangers may name any bucket',
  async (t) => {
    const hosts = new Hosts()
    const busy = hosts.of('busy.test', 443)
    busy.used = 1
    for (let i = 0; i < 1000; i += 1) hosts.closed(hosts.of(`b${i}.test`, 443))
    const { length } = [...hosts.all()]
    t.ok(length <= 101, `${length} hosts`)
    hosts.closed(busy)
    t.equal(hosts.of('busy.test', 443), busy)
  },
)

t.test('a host that was forgotten takes no other of its name along', async (t) => {
  const hosts = new Hosts()
  for (let i = 0; i < 200; i += 1) hosts.of(`b${i}.test`, 443)
  const old = hosts.of('a.test', 443)
  hosts.closed(old)
  const anew = hosts.of('a.test', 443)
  t.not(anew, old)
  hosts.closed(old)
  t.equal(hosts.of('a.test', 443), anew)
  t.equal(hosts.of('b0.test', 443).hostname, 'b0.test')
  t.equal(hosts.of('a.test', 443), anew)
})

t.test('who asks a closed pool hears so, and does not wait for ever', async (t) => {
  const pool = connectionPool(
    { connectTimeoutMs: 50, idleTimeoutMs: 50, keepAliveMs: 50, maxSockets: 1, ca: 'system' },
    true,
  )
  await pool.close()
  const heard: string[] = []
  const taker = {
    onPoolClosed: () => void heard.push('closed'),
    onLease: () => void heard.push('lease'),
  } as unknown as Taker
  pool.ask('127.0.0.1', 1, taker, pool.now())
  t.same(heard, ['closed'])
})
