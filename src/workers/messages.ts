import type { Drained } from '../server/drain.js'
import type { MetricsSnapshot } from '../telemetry/metric-registry.js'

/** From the primary to a worker. */
export type Order =
  | { readonly type: 'ssec-proxy/drain' }
  | { readonly type: 'ssec-proxy/reload' }
  | { readonly type: 'ssec-proxy/metrics'; readonly id: number }

/** From a worker to the primary. */
export type Report =
  | { readonly type: 'ssec-proxy/ready'; readonly addresses: readonly string[] }
  | { readonly type: 'ssec-proxy/failed'; readonly message: string }
  | { readonly type: 'ssec-proxy/drained'; readonly drained: Drained }
  | { readonly type: 'ssec-proxy/metrics'; readonly id: number; readonly snapshot: MetricsSnapshot }

/** The channel carries messages of node's own and of other libraries too. */
export const isOurs = (message: unknown): boolean =>
  typeof message === 'object' &&
  message !== null &&
  'type' in message &&
  typeof message.type === 'string' &&
  message.type.startsWith('ssec-proxy/')
