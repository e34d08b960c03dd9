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

/** A tick that is heard of later than this found the client busy with itself. */
const LATE_MS = 0.3

/**
 * Requests at fixed times. One that finds no free connection waits for one, and its wait is part of its latency: a hop that
 * stalls is not spared the requests that would have come meanwhile. A client that was itself late (its collector, its
 * compiler, its processor) sends those that follow as much later: a burst of what it missed would be none of the hop's.
 */
async function drivePaced(
  { forMs }: Pick<LoadJob, 'forMs'>,
  perSecond: number,
  connections: readonly Connection[],
  request: () => LoadRequest,
  tally: Tally,
): Promise<void> {
  const ticker = new Worker(TICKER, { workerData: { intervalMs: Math.max(SHORTEST_TICK_MS, 1000 / perSecond) } })
  const [firstTick] = (await once(ticker, 'message')) as [number]
  let start = firstTick - performance.timeOrigin
  let heardAt = 0
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
      ticker.on('message', (tick: number) => {
        const now = performance.now()
        const tickAt = tick - performance.timeOrigin
        // one that was due before the last was heard is of the same delay; and where requests wait for a connection, the hop is late
        if (tickAt > heardAt && now - tickAt > LATE_MS && free.length > 0) start += now - tickAt
        heardAt = now
        sendDue()
      })
      ticker.once('error', reject)
    })
  } finally {
    await ticker.terminate()
  }
}
