import { type Bench, nginxIfThere, note, withHops } from '../bench.js'
import { GIB, MIB } from '../content.js'
import { type HopName, PROXIES } from '../hop-names.js'
import { CLOSED, type Hop, jobFor } from '../hops.js'
import { makeLoad } from '../make-load.js'
import type { Options } from '../options.js'
import { memoryOf } from '../proc.js'
import { type Scenario, transfers } from '../scenarios.js'

/** Many transfers at once, in a process that has done nothing before. */
export interface MemoryRow {
  readonly name: string
  readonly hop: HopName
  readonly idleMib: number
  readonly peakMib: number
  readonly movedGib: number
}

/** The peak of one process that passed a small object on, each way, and of another one with a large object. */
export interface GrowthRow {
  readonly hop: HopName
  readonly smallBytes: number
  readonly smallPeakMib: number
  readonly largeBytes: number
  readonly largePeakMib: number
}

const MEMORY_BYTES = 256 * MIB
/** Of each half of the transfers: 4 lie in a slow upstream, and 4 are read slowly. */
const SLOW = 4

export async function measureMemory(bench: Bench): Promise<readonly MemoryRow[]> {
  const { parallel } = bench.options
  const half = Math.ceil(parallel / 2)
  const slow = Math.min(SLOW, Math.floor(parallel / 4))
  const of = (method: 'GET' | 'PUT', count: number) => transfers(method, count, MEMORY_BYTES, slow)
  const loads: readonly (readonly Scenario[])[] = [
    [of('GET', parallel)],
    [of('PUT', parallel)],
    [of('GET', half), of('PUT', half)],
  ]
  const rows: MemoryRow[] = []
  for (const scenarios of loads) {
    const name = scenarios.map((scenario) => scenario.name).join(' and ')
    note(`memory: ${name}`)
    for (const hop of [...nginxIfThere(bench), ...PROXIES]) {
      rows.push(await withHops([hop], bench, async ([started]) => memoryOfHop(name, scenarios, started!, bench)))
    }
  }
  return rows
}

async function memoryOfHop(name: string, scenarios: readonly Scenario[], hop: Hop, bench: Bench): Promise<MemoryRow> {
  const pid = pidOf(hop)
  const idleMib = memoryOf(pid).now
  const limits = { warmUp: 0, most: 1, arrivals: CLOSED, ...endOf(bench.options) }
  const { bytes } = await makeLoad(jobFor(scenarios, hop, bench.workshop, limits), () => undefined)
  return { name, hop: hop.name, idleMib, peakMib: memoryOf(pid).peak, movedGib: bytes / GIB }
}

/** With `--full`, ten minutes to start in and no limit to end. JSON between processes knows no Infinity. */
const endOf = ({ memoryMs }: Options) =>
  memoryMs === Infinity
    ? ({ forMs: 600_000, atTheEnd: 'end' } as const)
    : ({ forMs: memoryMs, atTheEnd: 'cut' } as const)

/** One GET and one PUT of each size. */
export async function measureGrowth(bench: Bench): Promise<readonly GrowthRow[]> {
  const { largeBytes } = bench.options
  const rows: GrowthRow[] = []
  for (const name of [...nginxIfThere(bench), ...PROXIES]) {
    note(`memory: 1 MiB and ${largeBytes / GIB} GiB through ${name}`)
    const [smallPeakMib, largePeakMib] = [await peakFor(MIB, name, bench), await peakFor(largeBytes, name, bench)]
    rows.push({ hop: name, smallBytes: MIB, smallPeakMib, largeBytes, largePeakMib })
  }
  return rows
}

const peakFor = (bytes: number, name: HopName, bench: Bench): Promise<number> =>
  withHops([name], bench, async ([hop]) => {
    for (const method of ['GET', 'PUT'] as const) {
      const limits = { forMs: 600_000, atTheEnd: 'end', warmUp: 0, most: 1, arrivals: CLOSED } as const
      await makeLoad(jobFor([transfers(method, 1, bytes, 0)], hop!, bench.workshop, limits), () => undefined)
    }
    return memoryOf(pidOf(hop!)).peak
  })

function pidOf({ running }: Hop): number {
  if (running === 'none') throw new Error('nothing to measure')
  return running.pid
}
