// A process of its own: sends requests that were signed in advance over connections that it keeps. Anything but 200 ends
// the run.
import { readFileSync } from 'node:fs'
import { type Connection, newTally, openConnection } from './connection.js'
import { drive } from './drive.js'
import type { LoadJob, LoadMessage, LoadRequest } from './load-job.js'

const WARM_UP_MS = 10_000
const PACED_WARM_UP_MS = 1000

const say = (message: LoadMessage): void => void process.send?.(message)

async function run(job: LoadJob): Promise<void> {
  const ca = readFileSync(job.caFile, 'utf8')
  const connections = await Promise.all(Array.from({ length: job.connections }, () => openConnection(job, ca)))
  let next = 0
  const request = (): LoadRequest => job.requests[next++ % job.requests.length]!
  await warmUp(job, connections, request)
  const go = new Promise((resolve) => process.once('message', resolve))
  say({ type: 'warm' })
  await go
  const cpu = process.cpuUsage()
  const start = performance.now()
  const tally = newTally()
  const all = drive(job, connections, request, tally)
  if (job.atTheEnd === 'end') await all
  else await Promise.race([all, new Promise((resolve) => setTimeout(resolve, job.forMs))])
  const ms = performance.now() - start
  const used = process.cpuUsage(cpu)
  const sorted = tally.latenciesMs.sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  const result = {
    requests: sorted.length,
    bytes: tally.bytes,
    ms,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuSeconds: (used.user + used.system) / 1e6,
  }
  all.catch(() => undefined)
  for (const { close } of connections) close()
  say({ type: 'result', result })
}

async function warmUp(job: LoadJob, connections: readonly Connection[], request: () => LoadRequest): Promise<void> {
  const end = performance.now() + WARM_UP_MS
  const ignored = newTally()
  await Promise.all(
    connections.map(async (connection) => {
      for (let i = 0; i < job.warmUp && performance.now() < end; i++) await connection.send(request(), ignored)
    }),
  )
  // what paces the requests has to be warm as well
  if (job.arrivals.type === 'paced') await drive({ ...job, forMs: PACED_WARM_UP_MS }, connections, request, newTally())
}

process.once('message', (job) => {
  run(job as LoadJob).catch((cause: unknown) => say({ type: 'failed', reason: (cause as Error).message }))
})
process.on('disconnect', () => process.exit(0))
