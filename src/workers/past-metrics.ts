import { type MetricsSnapshot, addCounters } from '../telemetry/metric-registry.js'

/**
 * The last metrics of each worker. Without them, counters would go back when a worker crashes or is too busy to answer,
 * and Prometheus would take that for a restart of everything.
 */
export interface PastMetrics {
  readonly heard: (worker: number, snapshot: MetricsSnapshot) => void
  /** The worker is gone: what it counted stays, what it measured does not. */
  readonly gone: (worker: number) => void
  /** Of every worker its last, and one of all that are gone. */
  readonly all: () => Promise<readonly MetricsSnapshot[]>
}

export function pastMetrics(): PastMetrics {
  const last = new Map<number, MetricsSnapshot>()
  let gone = Promise.resolve<MetricsSnapshot>([])
  return {
    heard: (worker, snapshot) => void last.set(worker, snapshot),
    gone: (worker) => {
      const snapshot = last.get(worker)
      last.delete(worker)
      if (snapshot !== undefined) gone = gone.then((sum) => addCounters(sum, snapshot))
    },
    all: async () => {
      const sum = await gone
      return [...last.values(), sum]
    },
  }
}
