import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Connection, Tally } from './connection.js'
import type { LoadJob, LoadRequest } from './load-job.js'

/** Resolves when the last request of the load was answered. */
export function drive(
  job: LoadJob,
  connections: readonly Connection[],
  request: () => LoadRequest,
  tally: Tally,
): Promise<unknown> {
  const { arrivals } = job
  if (arrivals.type === 'paced') return drivePaced(job, arrivals.perSecond, connections, request, tally)
  const end = performance.now() + job.forMs
  return Promise.all(
    connections.map(async (connection) => {
      for (let i = 0; i < job.most && performance.now() < end; i++) {
        const sent = performance.now()
        await connection.send(request(), tally)
        tally.latenciesMs.push(performance.now() - sent)
      }
    }),
  )
}

const TICKER = new URL('ticker.js', import.meta.url)

/** Requests that are due closer together than this are sent together. */
const SHORTEST_TICK_MS = 0.2

/** What a tick may be early by rounding. */
const EARLY_MS = 0.01

/**
 * Requests at fixed times. One that finds no free connection waits for one, and its wait is part of its latency: a hop that
 * stalls is not spared the requests that would have come meanwhile.
 */
async function drivePaced(
  { forMs }: LoadJob,
  perSecond: number,
  connections: readonly Connection[],
  request: () => LoadRequest,
  tally: Tally,
): Promise<void> {
  const ticker = new Worker(TICKER, { workerData: { intervalMs: Math.max(SHORTEST_TICK_MS, 1000 / perSecond) } })
  const [firstTick] = (await once(ticker, 'message')) as [number]
  const start = firstTick - performance.timeOrigin
  const total = Math.floor((forMs / 1000) * perSecond)
  const dueAt = (i: number): number => start + (i * 1000) / perSecond
  const free = [...connections]
  let sent = 0
  try {
    await new Promise<void>((resolve, reject) => {
      const sendDue = (): void => {
        const now = performance.now() + EARLY_MS
        while (sent < total && free.length > 0 && dueAt(sent) <= now) {
          const connection = free.pop()!
          const due = dueAt(sent++)
          connection.send(request(), tally).then(() => {
            tally.latenciesMs.push(performance.now() - due)
            free.push(connection)
            if (tally.latenciesMs.length === total) resolve()
            // those that waited for a connection
            else sendDue()
          }, reject)
        }
      }
      ticker.on('message', sendDue)
      ticker.once('error', reject)
    })
  } finally {
    await ticker.terminate()
  }
}
