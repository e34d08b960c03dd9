/** One series of a histogram, held by whoever observes. */
export interface Distribution {
  /** `value` is finite. */
  observe(value: number): void
}

/**
 * A histogram as a registry of prom-client asks for it. prom-client's own makes a text of each value's labels to find the
 * series by, and of its bound to find the bucket by; here the series is held by the caller. A test holds the two to the
 * same text, snapshot and sum of several processes.
 */
export class KeptHistogram {
  readonly name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #series: Series[] = []

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.#help = help
    this.#bounds = bounds
  }

  /** A new series: each combination of labels is asked for once. */
  series(labels: Readonly<Record<string, string>>): Distribution {
    const series = new Series(labels, this.#bounds)
    this.#series.push(series)
    return series
  }

  get(): Promise<unknown> {
    const values = this.#series.flatMap((series) => series.values(this.name))
    return Promise.resolve({ name: this.name, help: this.#help, type: 'histogram', aggregator: 'sum', values })
  }
}

class Series implements Distribution {
  readonly #labels: Readonly<Record<string, string>>
  readonly #bounds: readonly number[]
  /** How many values each bucket took that no smaller one did; the last one took what is beyond all bounds. */
  readonly #counts: number[]
  #sum = 0

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.#labels = labels
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += value
  }

  values(name: string): readonly object[] {
    const labels = this.#labels
    let count = 0
    const buckets = [...this.#bounds, '+Inf'].map((le, i) => {
      count += this.#counts[i] as number
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }
}
