import { type Bench, note, withHops } from '../bench.js'
import type { Hop } from '../hops.js'
import type { Seen } from '../probe.js'
import { soak } from '../soak.js'
import { soakJob } from '../soak-job.js'

/** The same process near the beginning of a soak and at its end, garbage collected and all clients gone. */
export interface SoakResult {
  readonly requests: number
  readonly aborted: number
  readonly connections: number
  /** After the first tenth. */
  readonly before: SoakState
  readonly after: SoakState
}

export interface SoakState {
  readonly heapMib: number
  readonly externalMib: number
  readonly rssMib: number
  readonly handles: number
}

const CONNECTIONS = 64
const MIB = 1024 * 1024

/** Requests through the lean pass, every twentieth of them aborted on one side or the other. */
export async function measureSoak(bench: Bench): Promise<SoakResult> {
  const { soakRequests: requests } = bench.options
  note(`soak: ${requests} requests`)
  return withHops(['lean pass'], bench, ([hop]) => soakHop(bench, hop!, requests), { probed: 'yes' })
}

async function soakHop({ workshop }: Bench, hop: Hop, requests: number): Promise<SoakResult> {
  if (hop.running === 'none') throw new Error('nothing to measure')
  const { look } = hop.running
  const some = async (count: number) => {
    const job = soakJob({ port: hop.port, hop: hop.name }, workshop, { connections: CONNECTIONS, requests: count })
    const tally = await soak(job)
    if (tally.failures.length > 0) throw new Error(`soak: ${tally.failures.join('; ')}`)
    return tally
  }
  const first = Math.ceil(requests / 10)
  const { aborted } = await some(first)
  const before = await settled(look)
  const rest = await some(requests - first)
  const after = await settled(look)
  return { requests, aborted: aborted + rest.aborted, connections: CONNECTIONS, before, after }
}

/** Longer than the proxy keeps an idle connection to the upstream. */
const SETTLE_MS = 6000

/** When what the last requests left has been put away. */
export async function settled(look: () => Promise<Seen>): Promise<SoakState> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const { heapUsed, external, rss, handles } = await look()
  return {
    heapMib: heapUsed / MIB,
    externalMib: external / MIB,
    rssMib: rss / MIB,
    handles: Object.values(handles).reduce((sum, count) => sum + count, 0),
  }
}
