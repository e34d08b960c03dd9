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

/** With this much time until the next request is due, a timer is exact enough; below it, the loop goes round and looks. */
const SLEEP_MS = 2

/**
 * Requests at fixed times. One that finds no free connection waits for one, and its wait is part of its latency: a hop that
 * stalls is not spared the requests that would have come meanwhile.
 */
function drivePaced(
  { forMs }: LoadJob,
  perSecond: number,
  connections: readonly Connection[],
  request: () => LoadRequest,
  tally: Tally,
): Promise<void> {
  const start = performance.now()
  const total = Math.floor((forMs / 1000) * perSecond)
  const dueAt = (i: number): number => start + (i * 1000) / perSecond
  const free = [...connections]
  let sent = 0
  return new Promise((resolve, reject) => {
    const step = (): void => {
      const now = performance.now()
      while (sent < total && free.length > 0 && dueAt(sent) <= now) {
        const connection = free.pop()!
        const due = dueAt(sent++)
        connection.send(request(), tally).then(() => {
          tally.latenciesMs.push(performance.now() - due)
          free.push(connection)
          if (tally.latenciesMs.length === total) resolve()
        }, reject)
      }
      if (sent === total) return
      const wait = dueAt(sent) - performance.now()
      if (wait > SLEEP_MS) setTimeout(step, wait - SLEEP_MS)
      else setImmediate(step)
    }
    step()
  })
}
