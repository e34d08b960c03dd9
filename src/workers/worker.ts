import { type Order, type Report, isOurs } from './messages.js'
import type { Drained } from '../server/drain.js'
import type { MetricsSnapshot } from '../telemetry/metric-registry.js'

/** What a worker does when its primary says so. */
export interface WorkerDuties {
  /** Refuses new requests and ends when those that run are over or the limit is reached. The process exits after it. */
  readonly drain: () => Promise<Drained>
  readonly reload: () => void
  readonly snapshot: () => Promise<MetricsSnapshot>
}

export interface PrimaryLink {
  /** Says that this worker takes requests, and takes orders from now on. */
  readonly ready: (addresses: readonly string[], duties: WorkerDuties) => void
  /** Says in one line why this worker cannot start, and ends the process. */
  readonly failed: (message: string) => Promise<never>
}

/**
 * Called first thing in a worker. The primary gives the orders: signals that a terminal or systemd sends to the whole
 * group would end the worker in the middle of its requests, so they are ignored here. A worker whose primary is gone
 * ends by itself (node's rule).
 */
export function linkToPrimary(): PrimaryLink {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  let duties: WorkerDuties | 'not yet' = 'not yet'
  process.on('message', (message) => {
    if (isOurs(message)) void obey(message as Order, duties)
  })
  return {
    ready: (addresses, given) => {
      duties = given
      void report({ type: 'ssec-proxy/ready', addresses })
    },
    failed: async (message) => {
      await report({ type: 'ssec-proxy/failed', message })
      return process.exit(1)
    },
  }
}

async function obey(order: Order, duties: WorkerDuties | 'not yet'): Promise<void> {
  switch (order.type) {
    case 'ssec-proxy/drain': {
      const drained = duties === 'not yet' ? { finished: 0, cut: 0 } : await duties.drain()
      await report({ type: 'ssec-proxy/drained', drained })
      return process.exit(0)
    }
    case 'ssec-proxy/reload':
      if (duties !== 'not yet') duties.reload()
      return
    case 'ssec-proxy/metrics':
      if (duties === 'not yet') return
      await report({ type: 'ssec-proxy/metrics', id: order.id, snapshot: await duties.snapshot() })
  }
}

/** Resolves when the message has left; a primary that is gone hears nothing. */
function report(message: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
