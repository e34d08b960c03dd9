import { availableParallelism } from 'node:os'
import { type Bench, note, withHops } from '../bench.js'
import { CLOSED, jobFor } from '../hops.js'
import { type Measured, measure, median } from '../measure.js'
import { SMALL_GET } from '../scenarios.js'

/** One worker and two, under the same load. */
export interface WorkersResult {
  readonly processors: number
  readonly one: Measured
  readonly two: Measured
}

/** Two for the workers, one each for what makes the load and what answers it. */
export const PROCESSORS_FOR_WORKERS = 4

/** Whether a second worker doubles what the lean pass gets through. */
export async function measureWorkers(bench: Bench): Promise<WorkersResult> {
  note('one worker and two')
  const { options, workshop, s3 } = bench
  const scenario = { ...SMALL_GET, connections: 64 }
  return withHops(['lean pass'], bench, ([one]) =>
    withHops(
      ['lean pass'],
      bench,
      async ([two]) => {
        const windows = { one: [] as Measured[], two: [] as Measured[] }
        for (let round = 0; round < options.rounds; round++) {
          for (const [name, hop] of [['one', one!] as const, ['two', two!] as const]) {
            const job = jobFor([scenario], hop, workshop, {
              forMs: options.windowMs,
              atTheEnd: 'end',
              warmUp: Math.ceil(((round === 0 ? 20_000 : 400) * options.warmth) / scenario.connections),
              most: Number.MAX_SAFE_INTEGER,
              arrivals: CLOSED,
            })
            windows[name].push(await measure(job, hop.running, s3.pid))
          }
        }
        return { processors: availableParallelism(), one: median(windows.one), two: median(windows.two) }
      },
      { workers: 2 },
    ),
  )
}
