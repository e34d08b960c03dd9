import t from 'tap'
import { Counter, Histogram, Registry } from 'prom-client'
import { aggregateMetrics, metricRegistry } from '../../src/telemetry/metric-registry.js'
import fc from 'fast-check'

const BUCKETS = [0.005, 0.1, 1, 2.5, 30]
const names = { counter: 'a_total', bare: 'b_total', histogram: 'c_seconds', plain: 'd' }

/** prom-client's own, which looks a series up at each value. */
function reference() {
  const registry = new Registry()
  const family = (name: string, labelNames: string[]) => ({
    name: `ssec_proxy_${name}`,
    help: `of ${name} "\\`,
    labelNames,
    registers: [registry],
  })
  const counter = new Counter(family(names.counter, ['operation', 'code']))
  const bare = new Counter(family(names.bare, []))
  const histogram = new Histogram({ ...family(names.histogram, ['operation']), buckets: BUCKETS })
  const plain = new Histogram({ ...family(names.plain, []), buckets: BUCKETS })
  return {
    add: (operation: string, code: string, by: number) => counter.inc({ operation, code }, by),
    addBare: (by: number) => bare.inc(by),
    observe: (operation: string, value: number) => histogram.observe({ operation }, value),
    observePlain: (value: number) => plain.observe(value),
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  }
}

function kept() {
  const registry = metricRegistry()
  const family = <L extends string>(name: string, labels: readonly L[]) => ({ name, help: `of ${name} "\\`, labels })
  const counter = registry.countedSeries(family(names.counter, ['operation', 'code']))
  const bare = registry.countedSeries(family(names.bare, []))({})
  const histogram = registry.observedSeries({ ...family(names.histogram, ['operation']), buckets: BUCKETS })
  const plain = registry.observedSeries({ ...family(names.plain, []), buckets: BUCKETS })({})
  const counts = new Map<string, ReturnType<typeof counter>>()
  const distributions = new Map<string, ReturnType<typeof histogram>>()
  return {
    add: (operation: string, code: string, by: number) => {
      const key = JSON.stringify([operation, code])
      const count = counts.get(key) ?? counter({ operation, code })
      counts.set(key, count)
      count.add(by)
    },
    addBare: (by: number) => bare.add(by),
    observe: (operation: string, value: number) => {
      const distribution = distributions.get(operation) ?? histogram({ operation })
      distributions.set(operation, distribution)
      distribution.observe(value)
    },
    observePlain: (value: number) => plain.observe(value),
    text: () => registry.text(),
    snapshot: () => registry.snapshot(),
  }
}

const operation = fc.constantFrom('GetObject', 'PutObject', 'o"\\\n,:', '')
const value = fc.oneof(
  fc.constantFrom(0, ...BUCKETS, 31, 1e9, Number.MAX_SAFE_INTEGER),
  fc.double({ min: 0, max: 100, noNaN: true }),
)
const step = fc.oneof(
  fc.tuple(fc.constant('add' as const), operation, fc.constantFrom('200', '404'), value),
  fc.tuple(fc.constant('addBare' as const), value),
  fc.tuple(fc.constant('observe' as const), operation, value),
  fc.tuple(fc.constant('observePlain' as const), value),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function take(to: ReturnType<typeof kept>, steps: readonly Step[]): void {
  for (const one of steps) {
    if (one[0] === 'add') to.add(one[1], one[2], one[3])
    else if (one[0] === 'addBare') to.addBare(one[1])
    else if (one[0] === 'observe') to.observe(one[1], one[2])
    else to.observePlain(one[1])
  }
}

/** As it travels between processes; exemplars, of which there are none, go. */
const sentOver = (snapshot: readonly object[]) =>
  JSON.parse(JSON.stringify(snapshot, (name, given: unknown) => (name === 'exemplar' ? undefined : given))) as object[]

t.test(
  'series that are held say what prom-client does when it looks them up: text, snapshot, several processes',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 20 }), async (one, two) => {
        const [ours, theirs] = [kept(), reference()]
        for (const steps of [one, two]) {
          take(ours, steps)
          take(theirs, steps)
          t.equal(await ours.text(), await theirs.text())
          // Asked twice, nothing is counted twice.
          t.equal(await ours.text(), await theirs.text())
        }
        const other = [kept(), reference()] as const
        for (const each of other) take(each, two)
        const snapshots = await Promise.all([ours, other[0]].map(async (each) => sentOver(await each.snapshot())))
        const expected = await Promise.all([theirs, other[1]].map(async (each) => sentOver(await each.snapshot())))
        t.strictSame(snapshots, expected)
        t.equal(await aggregateMetrics(snapshots), await aggregateMetrics(expected))
      }),
      { numRuns: 100 },
    )
  },
)
