import type { Drained } from '../server/drain.js'
import type { RecentFailure } from '../telemetry/recent-failures.js'
import type { MetricsSnapshot } from '../telemetry/metric-registry.js'

/** Files that the configuration was read from, path and text. */
export type TextsMessage = readonly (readonly [string, string])[]

/** From the primary to a worker. */
export type Order =
  | { readonly type: 'ssec-proxy/drain' }
  | { readonly type: 'ssec-proxy/reload' }
  /** Answers `wants-config`: what to start with. */
  | { readonly type: 'ssec-proxy/config'; readonly texts: TextsMessage }
  | { readonly type: 'ssec-proxy/prepare'; readonly id: number; readonly texts: TextsMessage }
  | { readonly type: 'ssec-proxy/commit' | 'ssec-proxy/abort'; readonly id: number }
  | { readonly type: 'ssec-proxy/metrics'; readonly id: number }

/** From a worker to the primary. */
export type Report =
  | { readonly type: 'ssec-proxy/wants-config' }
  | { readonly type: 'ssec-proxy/prepared'; readonly id: number; readonly problems: readonly string[] }
  | { readonly type: 'ssec-proxy/ready'; readonly addresses: readonly string[] }
  | { readonly type: 'ssec-proxy/failed'; readonly message: string }
  | { readonly type: 'ssec-proxy/drained'; readonly drained: Drained }
  | {
      readonly type: 'ssec-proxy/metrics'
      readonly id: number
      readonly snapshot: MetricsSnapshot
      readonly failed: readonly RecentFailure[]
    }

/** The channel carries messages of node's own and of other libraries too. */
export const isOurs = (message: unknown): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  typeof message.type === 'string' &&
  message.type.startsWith('ssec-proxy/')
