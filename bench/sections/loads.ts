import { type Bench, nginxIfThere, note, withHops } from '../bench.js'
import { HOPS, type HopName, PROXIES } from '../hop-names.js'
import { CLOSED, type Hop, jobFor } from '../hops.js'
import { type Measured, measure, median } from '../measure.js'
import { wantedLoads } from '../options.js'
import type { Scenario } from '../scenarios.js'

export interface LoadRow {
  readonly scenario: Scenario
  /** The median window of each hop. */
  readonly hops: Partial<Record<HopName, Measured>>
}

/**
 * Requests before a window, which is of a server that has been at work for some time. The proxy's first windows of a kind need many:
 * node's compiler works over its code again and again, and at 20,000 requests one still costs a third more than at 100,000, which are
 * seconds in the life of a server. After another kind of load it throws some of that code away and makes it anew.
 */
function warmUpOf(scenario: Scenario, hop: HopName, round: number, isFirst: boolean): number {
  const isProxy = PROXIES.some((name) => name === hop)
  const isBytes = scenario.shown === 'bytes'
  if (!isProxy) return isBytes ? 16 : 5000
  if (isBytes) return round > 0 ? 64 : 256
  return isFirst && round === 0 ? 100_000 : 20_000
}

/** Rounds, and in each round every hop after the other: what else the machine does meets them all alike. */
export async function measureLoads(bench: Bench): Promise<readonly LoadRow[]> {
  const scenarios = wantedLoads(bench.options)
  if (scenarios.length === 0) return []
  const rivals = scenarios.some((one) => one.rivals === 'too') ? bench.rivals.names : []
  const wanted = new Set<HopName>(['direct', ...nginxIfThere(bench), ...rivals, ...PROXIES])
  return withHops(
    HOPS.filter((name) => wanted.has(name)),
    bench,
    async (hops) => {
      const rows: LoadRow[] = []
      for (const [i, scenario] of scenarios.entries()) {
        note(scenario.name)
        const taking = hops.filter(
          ({ name }) => scenario.rivals === 'too' || !bench.rivals.names.some((one) => one === name),
        )
        rows.push(await measureLoad(bench, scenario, taking, i === 0))
      }
      return rows
    },
  )
}

async function measureLoad(
  { options, workshop, s3 }: Bench,
  scenario: Scenario,
  hops: readonly Hop[],
  isFirst: boolean,
): Promise<LoadRow> {
  const windows = new Map<HopName, Measured[]>(hops.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const hop of hops) {
      const requests = warmUpOf(scenario, hop.name, round, isFirst)
      const job = jobFor([scenario], hop, workshop, {
        forMs: options.windowMs,
        atTheEnd: 'end',
        warmUp: Math.ceil((requests * options.warmth) / scenario.connections),
        most: Number.MAX_SAFE_INTEGER,
        arrivals: CLOSED,
      })
      windows.get(hop.name)!.push(await measure(job, hop.running, s3.pid))
    }
  }
  return { scenario, hops: Object.fromEntries([...windows].map(([name, each]) => [name, median(each)])) }
}
