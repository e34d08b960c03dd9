import { type MetricsSnapshot, addCounters } from '../telemetry/metric-registry.js'
import { type RecentFailure, newestFirst } from '../telemetry/recent-failures.js'

/**
 * The last metrics of each worker. Without them, counters would go back when a worker crashes or is too busy to answer,
 * and Prometheus would take that for a restart of everything.
 */
export interface PastMetrics {
  readonly heard: (worker: number, snapshot: MetricsSnapshot, failed: readonly RecentFailure[]) => void
  /** The worker is gone: what it counted stays, what it measured does not. */
  readonly gone: (worker: number) => void
  /** Of every worker its last, and one of all that are gone. */
  readonly all: () => Promise<readonly MetricsSnapshot[]>
  /** The last failed requests of all that are there, as of their last metrics. */
  readonly failed: () => readonly RecentFailure[]
}

export function pastMetrics(): PastMetrics {
  const last = new Map<number, MetricsSnapshot>()
  const failures = new Map<number, readonly RecentFailure[]>()
  let gone = Promise.resolve<MetricsSnapshot>([])
  return {
    heard: (worker, snapshot, failed) => {
      last.set(worker, snapshot)
      failures.set(worker, failed)
    },
    gone: (worker) => {
      const snapshot = last.get(worker)
      last.delete(worker)
      failures.delete(worker)
      if (snapshot !== undefined) gone = gone.then((sum) => addCounters(sum, snapshot))
    },
    failed: () => newestFirst([...failures.values()]),
    all: async () => {
      const sum = await gone
      return [...last.values(), sum]
    },
  }
}
