// Thousands of requests, every twentieth aborted on one side or the other: nothing of them may be left. What a leak of one
// socket, timer or buffer for each aborted request costs would stand out; no time is looked at.
import { appendFileSync, readFileSync, readdirSync } from 'node:fs'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { PROXIES } from '../../bench/hop-names.js'
import { settled } from '../../bench/sections/soak.js'
import { soak } from '../../bench/soak.js'
import { soakJob } from '../../bench/soak-job.js'
import { standInServer } from '../../bench/stand-in-server.js'
import { startProxy } from '../../bench/start-proxy.js'
import { openWorkshop } from '../../bench/workshop.js'
import { registerKeyring, registerSecret, transcript } from '../support/record.js'

const CONNECTIONS = 64
const FIRST = 4000
const REST = 16_000

/** Garbage collection leaves some hundred KiB more or less; one KiB for each request would be sixteen times as much. */
const NOISE_MIB = 3

const workshop = openWorkshop()
registerSecret("secret access key of the soak's client", workshop.secretAccessKey)
const server = standInServer({
  cert: readFileSync(workshop.certFile, 'utf8'),
  key: readFileSync(workshop.keyFile, 'utf8'),
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const s3Port = (server.address() as AddressInfo).port
t.teardown(() => void server.close())

for (const name of PROXIES) {
  t.test(`${name}: heap and handles are the same after a soak with aborts`, async (t) => {
    const options = { node: process.execPath, profile: 'none' } as const
    const proxy = await startProxy(options, workshop, s3Port, name, { probed: 'yes' })
    try {
      registerKeyring('master key', readFileSync(join(workshop.folder, 'keyring.json'), 'utf8'))
      const some = async (requests: number): Promise<void> => {
        const to = { port: proxy.port, hop: name }
        const tally = await soak(soakJob(to, workshop, { connections: CONNECTIONS, requests }))
        t.same(tally.failures, [], 'requests that nobody aborted got 200')
        t.equal(tally.done, requests)
        t.equal(tally.aborted, requests / 20)
      }
      await some(FIRST)
      const before = await settled(proxy.look)
      await some(REST)
      const after = await settled(proxy.look)
      t.comment(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`)
      // fewer, where the connection that only looked whether the port is open was still on its way out before
      t.ok(after.handles <= before.handles, `${after.handles} handles, and ${before.handles} before`)
      t.ok(
        after.heapMib + after.externalMib < before.heapMib + before.externalMib + NOISE_MIB,
        'heap and buffers have not grown',
      )
    } finally {
      await proxy.stop()
    }
  })
}

t.test('what the proxies printed', async (t) => {
  const logs = readdirSync(workshop.folder).filter((file) => file.endsWith('.log'))
  t.equal(logs.length, PROXIES.length)
  // it is searched for secrets as everything is
  for (const log of logs) appendFileSync(transcript('soak', '/dev/null'), readFileSync(join(workshop.folder, log)))
})
