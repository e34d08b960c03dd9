import { type Crew, type CrewTimes, allGone, startCrew } from './workers/crew.js'
import type { Drained } from './server/drain.js'
import type { Logger } from './telemetry/logger.js'
import type { MetricsSnapshot } from './telemetry/metrics.js'
import { claimUnixSocket } from './server/unix-socket.js'
import cluster from 'node:cluster'

export interface WorkerTimes extends CrewTimes {
  /** How long workers may take to hand over their metrics. */
  readonly metricsMs: number
  /** How long after its drain limit a worker may take to exit before it is killed. */
  readonly exitMs: number
}

export const WORKER_TIMES: WorkerTimes = {
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
  stableMs: 60_000,
  metricsMs: 2_000,
  exitMs: 5_000,
}

export interface RunWorkersOptions {
  readonly count: number
  /** Paths of the unix sockets that the workers will listen on: this process binds them, so it makes room for them. */
  readonly unixSockets: readonly string[]
  /** The workers' own limit on their drain. */
  readonly drainMs: number
  readonly times: WorkerTimes
  readonly log: Logger
}

export interface Workers {
  readonly addresses: readonly string[]
  /** Whether requests are taken. All workers were ready at the start; while one is being replaced the others serve. */
  readonly ready: () => boolean
  /** Metrics of all workers that answer in time, for `aggregateMetrics`. */
  readonly snapshots: () => Promise<readonly MetricsSnapshot[]>
  /** Tells all to look at their certificate files. */
  readonly reload: () => void
  /** Drains all and resolves at their end. `killed` of them did not end by themselves. */
  readonly close: () => Promise<Drained & { readonly killed: number }>
}

/** Whether this process is a worker of {@link runWorkers}: then `linkToPrimary` (workers/worker.ts) is called instead. */
export const isWorker = (): boolean => cluster.isWorker

/**
 * Runs `count` copies of this program as workers that share its listeners. Resolves when all are ready.
 *
 * @throws StartError with the worker's own line where one cannot start; none is left running then
 */
export async function runWorkers({ count, unixSockets, drainMs, times, log }: RunWorkersOptions): Promise<Workers> {
  for (const path of unixSockets) await claimUnixSocket(path, `unix ${path}`)
  // This process makes the sockets, a worker sets their mode; until then they must not be open to others.
  if (unixSockets.length > 0) process.umask(0o027)
  const crew = await startCrew(count, times, log)
  let closing = false
  return {
    addresses: crew.addresses,
    ready: () => !closing && crew.ready().length > 0,
    snapshots: snapshotsOf(crew, times.metricsMs),
    reload: () => {
      for (const worker of crew.all()) worker.tell({ type: 'ssec-proxy/reload' })
    },
    close: async () => {
      closing = true
      crew.letGo()
      return drainCrew(crew, drainMs + times.exitMs)
    },
  }
}

function snapshotsOf(crew: Crew, limitMs: number): Workers['snapshots'] {
  let last = 0
  return () => {
    last += 1
    const id = last
    const snapshots: MetricsSnapshot[] = []
    const asked = crew.ready()
    const waiting = new Set(asked.map((worker) => worker.id))
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        stop()
        resolve(snapshots)
      }
      const timer = setTimeout(done, limitMs)
      const stop = crew.listen((news, from) => {
        if (news.type === 'ssec-proxy/metrics' && news.id === id) snapshots.push(news.snapshot)
        else if (news.type !== 'gone') return
        waiting.delete(from.id)
        if (waiting.size === 0) done()
      })
      for (const worker of asked) worker.tell({ type: 'ssec-proxy/metrics', id })
      if (asked.length === 0) done()
    })
  }
}

async function drainCrew(crew: Crew, limitMs: number): Promise<Drained & { killed: number }> {
  const sum = { finished: 0, cut: 0, killed: 0 }
  const stop = crew.listen((news) => {
    if (news.type !== 'ssec-proxy/drained') return
    sum.finished += news.drained.finished
    sum.cut += news.drained.cut
  })
  const timer = setTimeout(() => {
    for (const worker of crew.all()) {
      sum.killed += 1
      worker.kill()
    }
  }, limitMs)
  const gone = allGone(crew)
  for (const worker of crew.all()) worker.tell({ type: 'ssec-proxy/drain' })
  await gone
  clearTimeout(timer)
  stop()
  return sum
}
