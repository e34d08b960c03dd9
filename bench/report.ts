import type { ChunkRow } from './sections/chunks.js'
import type { GrowthRow, MemoryRow } from './sections/memory.js'
import type { IdleRow } from './sections/idle.js'
import type { LatencyRow } from './sections/latency.js'
import type { LoadRow } from './sections/loads.js'
import type { SoakResult } from './sections/soak.js'
import type { StartResult } from './sections/start.js'
import type { WorkersResult } from './sections/workers.js'
import type { RekeyRow } from './rekey.js'

/** One run, as it is kept. What was not measured has no rows, or is `none`. */
export interface Report {
  readonly setting: Readonly<Record<string, string>>
  readonly loads: readonly LoadRow[]
  readonly workers: WorkersResult | 'none'
  readonly latency: readonly LatencyRow[]
  readonly memory: readonly MemoryRow[]
  readonly growth: readonly GrowthRow[]
  readonly soak: SoakResult | 'none'
  readonly idle: readonly IdleRow[]
  readonly start: StartResult | 'none'
  readonly chunks: readonly ChunkRow[]
  readonly rekey: readonly RekeyRow[]
}

/** Reads one that was kept; those of before some section existed have nothing there. */
export const readReport = (json: string): Report => ({
  workers: 'none',
  latency: [],
  growth: [],
  soak: 'none',
  idle: [],
  start: 'none',
  chunks: [],
  ...(JSON.parse(json) as Pick<Report, 'setting' | 'loads' | 'memory' | 'rekey'>),
})
