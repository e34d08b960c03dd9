import { type Bench, directHop, nginxIfThere, note, withHops } from '../bench.js'
import { type HopName, PROXIES } from '../hop-names.js'
import { CLOSED, type Hop, type LoadLimits, jobFor } from '../hops.js'
import type { Arrivals, LoadResult } from '../load-job.js'
import { makeLoad } from '../make-load.js'
import { middle } from '../measure.js'
import { SMALL_GET } from '../scenarios.js'

/** What a hop adds to a small GET at half of what it can take. Milliseconds, medians over the rounds. */
export interface LatencyRow {
  readonly hop: HopName
  readonly saturatedPerSecond: number
  readonly pacedPerSecond: number
  /** Without the hop, at the same rate. */
  readonly direct: { readonly p50Ms: number; readonly p99Ms: number }
  readonly through: { readonly p50Ms: number; readonly p99Ms: number }
  /** The median of each round's difference. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
}

/** For the client, which is a new process each time: cold, it could not be punctual. */
const PACED_WARM_UP = 20_000

export async function measureLatency(bench: Bench): Promise<readonly LatencyRow[]> {
  return withHops([...nginxIfThere(bench), ...PROXIES], bench, async (hops) => {
    const rows: LatencyRow[] = []
    for (const hop of hops) {
      note(`latency at half load: ${hop.name}`)
      rows.push(await latencyOf(bench, hop))
    }
    return rows
  })
}

async function latencyOf(bench: Bench, hop: Hop): Promise<LatencyRow> {
  const { options, workshop } = bench
  const load = (through: Hop, arrivals: Arrivals, more: Partial<LoadLimits>) =>
    makeLoad(
      jobFor([SMALL_GET], through, workshop, {
        forMs: options.latencyMs,
        atTheEnd: 'end',
        warmUp: Math.ceil((PACED_WARM_UP * options.warmth) / SMALL_GET.connections),
        most: Number.MAX_SAFE_INTEGER,
        arrivals,
        ...more,
      }),
      () => undefined,
    )
  const warmUp = Math.ceil((20_000 * options.warmth) / SMALL_GET.connections)
  const saturated = await load(hop, CLOSED, { warmUp, forMs: options.windowMs })
  const saturatedPerSecond = saturated.requests / (saturated.ms / 1000)
  const perSecond = Math.max(1, Math.floor(saturatedPerSecond / 2))
  const paced = { type: 'paced', perSecond } as const
  const rounds: Record<'direct' | 'through', LoadResult>[] = []
  for (let round = 0; round < options.rounds; round++) {
    rounds.push({ direct: await load(directHop(bench), paced, {}), through: await load(hop, paced, {}) })
  }
  const of = (which: 'direct' | 'through', what: 'p50Ms' | 'p99Ms') => middle(rounds.map((round) => round[which][what]))
  const added = (what: 'p50Ms' | 'p99Ms') => middle(rounds.map(({ direct, through }) => through[what] - direct[what]))
  return {
    hop: hop.name,
    saturatedPerSecond,
    pacedPerSecond: perSecond,
    direct: { p50Ms: of('direct', 'p50Ms'), p99Ms: of('direct', 'p99Ms') },
    through: { p50Ms: of('through', 'p50Ms'), p99Ms: of('through', 'p99Ms') },
    addedP50Ms: added('p50Ms'),
    addedP99Ms: added('p99Ms'),
  }
}
