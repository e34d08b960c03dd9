import {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  type Metric,
  Registry,
  collectDefaultMetrics,
} from 'prom-client'
import { type Count, KeptCount } from './kept-count.js'
import { type Distribution, KeptHistogram } from './kept-histogram.js'

export type Labels = Readonly<Record<string, string>>

interface Family<L extends string> {
  /** Without the prefix `ssec_proxy_`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly L[]
}

/** How the values of several processes become one. */
export type Across = 'sum' | 'min' | 'max' | 'first'

/** What a worker sends to its primary: plain data. */
export type MetricsSnapshot = readonly object[]

/** The metrics of one process, all of them called `ssec_proxy_…`. */
export interface MetricRegistry {
  counter<L extends string = never>(family: Family<L>): (labels: Record<L, string>, by?: number) => void
  /**
   * A counter whose series the caller makes, each once, and holds: for what is counted with every request. It is kept
   * here; prom-client hears of it at each look at the metrics.
   */
  countedSeries<L extends string = never>(family: Family<L>): (labels: Record<L, string>) => Count
  /** The same for a histogram. */
  observedSeries<L extends string = never>(
    family: Family<L> & { readonly buckets: readonly number[] },
  ): (labels: Record<L, string>) => Distribution
  /** A counter that something else keeps, asked at each look at the metrics. */
  total<L extends string = never>(family: Family<L>, ask: () => readonly (readonly [Record<L, string>, number])[]): void
  gauge<L extends string = never>(
    family: Family<L> & { readonly across: Across },
  ): (labels: Record<L, string>, value: number) => void
  /** Its values are asked for at each look at the metrics; what is not among them any more is gone. */
  asked<L extends string = never>(
    family: Family<L> & { readonly across: Across },
    ask: () => readonly (readonly [Record<L, string>, number])[],
  ): void
  histogram<L extends string = never>(
    family: Family<L> & { readonly buckets: readonly number[] },
  ): (labels: Record<L, string>, value: number) => void
  /** Those of node and of the process, under their usual names. */
  ofProcess(): void
  /** Prometheus' text format. */
  text(): Promise<string>
  snapshot(): Promise<MetricsSnapshot>
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** The text of several processes' metrics, taken together as each metric says. */
export const aggregateMetrics = (snapshots: readonly MetricsSnapshot[]): Promise<string> =>
  AggregatorRegistry.aggregate(snapshots as unknown as object[]).metrics()

interface CollectedMetric {
  readonly type: string
}

/** The sum of two processes' counters and histograms; what only tells a present state is left out. */
export async function addCounters(a: MetricsSnapshot, b: MetricsSnapshot): Promise<MetricsSnapshot> {
  const counting = (snapshot: MetricsSnapshot) =>
    (snapshot as readonly (object & CollectedMetric)[]).filter(({ type }) => type === 'counter' || type === 'histogram')
  return AggregatorRegistry.aggregate([counting(a), counting(b)]).getMetricsAsJSON()
}

export function metricRegistry(): MetricRegistry {
  const registry = new Registry()
  const common = ({ name, help, labels = [] }: Family<string>) => ({
    name: `ssec_proxy_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  })
  return {
    counter(family) {
      const counter = new Counter(common(family))
      return (labels, by = 1) => counter.inc(labels, by)
    },
    countedSeries(family) {
      const all: { readonly labels: Labels; readonly count: KeptCount }[] = []
      new Counter({
        ...common(family),
        collect() {
          this.reset()
          for (const { labels, count } of all) this.inc(labels, count.value)
        },
      })
      return (labels) => {
        const count = new KeptCount()
        all.push({ labels, count })
        return count
      }
    },
    observedSeries(family) {
      const { name, help } = common(family)
      const histogram = new KeptHistogram(name, help, family.buckets)
      // What a registry asks of a metric is its name and `get`; the type has all of prom-client's classes.
      registry.registerMetric(histogram as unknown as Metric)
      return (labels) => histogram.series(labels)
    },
    total(family, ask) {
      new Counter({
        ...common(family),
        collect() {
          this.reset()
          for (const [labels, value] of ask()) this.inc(labels, value)
        },
      })
    },
    gauge(family) {
      const gauge = new Gauge({ ...common(family), aggregator: family.across })
      return (labels, value) => gauge.set(labels, value)
    },
    asked(family, ask) {
      new Gauge({
        ...common(family),
        aggregator: family.across,
        collect() {
          this.reset()
          for (const [labels, value] of ask()) this.set(labels, value)
        },
      })
    },
    histogram(family) {
      const histogram = new Histogram({ ...common(family), buckets: [...family.buckets] })
      return (labels, value) => histogram.observe(labels, value)
    },
    ofProcess: () => collectDefaultMetrics({ register: registry }),
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  }
}

/** A label that takes at most `most` values; the rest are `other`. */
export function bounded(most: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= most) return 'other'
    known.add(value)
    return value
  }
}

/** One NaN would spoil a sum for the life of the process. */
export const amount = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0)
export const seconds = (ms: number): number => amount(ms) / 1000
