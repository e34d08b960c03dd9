import { type Crew, type CrewTimes, allGone, startCrew } from './workers/crew.js'
import type { Fork } from './workers/fork.js'
import type { Order } from './workers/messages.js'
import type { Drained } from './server/drain.js'
import type { Logger } from './telemetry/logger.js'
import type { MetricsSnapshot } from './telemetry/metric-registry.js'
import type { Prepared } from './reload/prepared.js'
import type { Texts } from './config/texts.js'
import type { RecentFailure } from './telemetry/recent-failures.js'
import { pastMetrics } from './workers/past-metrics.js'
import { claimUnixSocket } from './server/unix-socket.js'
import cluster from 'node:cluster'

export interface WorkerTimes extends CrewTimes {
  /** How long workers may take to hand over their metrics. */
  readonly metricsMs: number
  /** How long workers may take to make a new configuration ready; KMS may have a part in it. */
  readonly prepareMs: number
  /** How long after its drain limit a worker may take to exit before it is killed. */
  readonly exitMs: number
}

export const WORKER_TIMES: WorkerTimes = {
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
  stableMs: 60_000,
  metricsMs: 2_000,
  prepareMs: 120_000,
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
  /** What the configuration was read from. */
  readonly texts: Texts
  /** Hears of each worker that ended without having been told to. */
  readonly onCrash: (how: string) => void
}

export interface Workers {
  readonly addresses: readonly string[]
  /** Whether requests are taken. All workers were ready at the start; while one is being replaced the others serve. */
  readonly ready: () => boolean
  /** Metrics of all workers, those of the past included, for `aggregateMetrics`; and how the workers are. */
  readonly metrics: () => Promise<WorkerMetrics>
  /** Tells all to look at their certificate files. */
  readonly reload: () => void
  /** Makes the configuration of these texts ready in all workers, or in none. */
  readonly prepare: (texts: Texts) => Promise<Prepared>
  /** Drains all and resolves at their end. `killed` of them did not end by themselves. */
  readonly close: () => Promise<Drained & { readonly killed: number }>
}

export interface WorkerMetrics {
  readonly snapshots: readonly MetricsSnapshot[]
  readonly ready: number
  /** How many gave theirs in time; of the others it is their last. */
  readonly answered: number
  /** The last requests that were refused or failed, newest first. */
  readonly failed: readonly RecentFailure[]
}

/** Whether this process is a worker of {@link runWorkers}: then `linkToPrimary` (workers/worker.ts) is called instead. */
export const isWorker = (): boolean => cluster.isWorker

/**
 * Runs `count` copies of this program as workers that share its listeners. Resolves when all are ready.
 *
 * @throws StartError with the worker's own line where one cannot start; none is left running then
 */
export async function runWorkers(options: RunWorkersOptions): Promise<Workers> {
  const { count, unixSockets, drainMs, times, log } = options
  for (const path of unixSockets) await claimUnixSocket(path, `unix ${path}`)
  // This process makes the sockets, a worker sets their mode; until then they must not be open to others.
  if (unixSockets.length > 0) process.umask(0o027)
  let closing = false
  let started = false
  let texts = options.texts
  const crew = await startCrew(count, times, log, (news, from) => {
    if (news.type === 'gone' && started && !closing) options.onCrash(news.how)
    if (news.type === 'ssec-proxy/wants-config') from.tell({ type: 'ssec-proxy/config', texts: [...texts] })
  })
  started = true
  return {
    addresses: crew.addresses,
    ready: () => !closing && crew.ready().length > 0,
    metrics: metricsOf(crew, times.metricsMs),
    reload: () => {
      for (const worker of crew.all()) worker.tell({ type: 'ssec-proxy/reload' })
    },
    prepare: preparing(crew, times.prepareMs, (next) => {
      texts = next
    }),
    close: async () => {
      closing = true
      crew.letGo()
      return drainCrew(crew, drainMs + times.exitMs)
    },
  }
}

function metricsOf(crew: Crew, limitMs: number): Workers['metrics'] {
  let last = 0
  const past = pastMetrics()
  crew.listen((news, from) => {
    if (news.type === 'ssec-proxy/metrics') past.heard(from.id, news.snapshot, news.failed)
    if (news.type === 'gone') past.gone(from.id)
  })
  return async () => {
    last += 1
    const id = last
    const asked = crew.ready()
    const waiting = new Set(asked.map((worker) => worker.id))
    let answered = 0
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        stop()
        resolve()
      }
      const timer = setTimeout(done, limitMs)
      const stop = crew.listen((news, from) => {
        if (news.type === 'ssec-proxy/metrics' && news.id === id) answered += 1
        else if (news.type !== 'gone') return
        waiting.delete(from.id)
        if (waiting.size === 0) done()
      })
      for (const worker of asked) worker.tell({ type: 'ssec-proxy/metrics', id })
      if (asked.length === 0) done()
    })
    return { snapshots: await past.all(), ready: crew.ready().length, answered, failed: past.failed() }
  }
}

function preparing(crew: Crew, limitMs: number, onCommit: (texts: Texts) => void): Workers['prepare'] {
  let last = 0
  return async (texts) => {
    last += 1
    const id = last
    const asked = crew.ready()
    const problems = await answers(crew, asked, limitMs, { type: 'ssec-proxy/prepare', id, texts: [...texts] })
    const tellAll = (type: 'ssec-proxy/commit' | 'ssec-proxy/abort') => {
      for (const worker of asked) worker.tell({ type, id })
    }
    if (problems.length > 0) {
      tellAll('ssec-proxy/abort')
      return { type: 'refused', problems: [...new Set(problems)] }
    }
    return {
      type: 'ready',
      commit: () => {
        onCommit(texts)
        tellAll('ssec-proxy/commit')
        // One that was just starting has begun with the old one: its successor begins with the new one.
        for (const worker of crew.all()) if (!asked.includes(worker)) worker.kill()
      },
      abort: () => tellAll('ssec-proxy/abort'),
    }
  }
}

/** The problems of all that were asked; one that ends meanwhile has none. */
function answers(
  crew: Crew,
  asked: readonly Fork[],
  limitMs: number,
  order: Extract<Order, { type: 'ssec-proxy/prepare' }>,
): Promise<readonly string[]> {
  const waiting = new Set(asked.map((worker) => worker.id))
  const problems: string[] = []
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop()
      resolve(problems)
    }
    const timer = setTimeout(() => {
      for (const worker of waiting) problems.push(`worker ${worker} did not answer`)
      done()
    }, limitMs)
    const stop = crew.listen((news, from) => {
      if (news.type === 'ssec-proxy/prepared' && news.id === order.id) problems.push(...news.problems)
      else if (news.type !== 'gone') return
      waiting.delete(from.id)
      if (waiting.size === 0) done()
    })
    for (const worker of asked) worker.tell(order)
    if (asked.length === 0) done()
  })
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
