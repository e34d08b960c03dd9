import { type Order, type Report, isOurs } from './messages.js'
import type { Prepared } from '../reload/prepared.js'
import type { Texts } from '../config/texts.js'
import type { Drained } from '../server/drain.js'
import type { RecentFailure } from '../telemetry/recent-failures.js'
import type { MetricsSnapshot } from '../telemetry/metric-registry.js'

/** What a worker does when its primary says so. */
export interface WorkerDuties {
  /** Refuses new requests and ends when those that run are over or the limit is reached. The process exits after it. */
  readonly drain: () => Promise<Drained>
  readonly reload: () => void
  readonly snapshot: () => Promise<MetricsSnapshot>
  /** The last requests that were refused or failed. */
  readonly failed: () => readonly RecentFailure[]
  /** Makes the configuration of these texts ready. */
  readonly prepare: (texts: Texts) => Promise<Prepared>
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
    case 'ssec-proxy/config':
      return
    case 'ssec-proxy/prepare':
      if (duties !== 'not yet') await prepare(order.id, new Map(order.texts), duties)
      return
    case 'ssec-proxy/commit':
      conclude('commit', order.id)
      return
    case 'ssec-proxy/abort':
      conclude('abort', order.id)
      return
    case 'ssec-proxy/metrics':
      if (duties === 'not yet') return
      await report({
        type: 'ssec-proxy/metrics',
        id: order.id,
        snapshot: await duties.snapshot(),
        failed: duties.failed(),
      })
  }
}

/** The one that may be taken into use, or given up, when the primary says so. */
let prepared: { readonly id: number; readonly change: Prepared } | 'none' = 'none'
let wanted = 0

async function prepare(id: number, texts: Texts, duties: WorkerDuties): Promise<void> {
  wanted = id
  const change = await duties.prepare(texts)
  // The primary gave up waiting, and what it wanted next was ready sooner: that must stay the one to be taken into use.
  if (wanted !== id) return
  prepared = { id, change }
  await report({ type: 'ssec-proxy/prepared', id, problems: change.type === 'ready' ? [] : change.problems })
}

function conclude(how: 'commit' | 'abort', id: number): void {
  if (prepared === 'none' || prepared.id !== id) return
  if (prepared.change.type === 'ready') prepared.change[how]()
  prepared = 'none'
}

/** What the primary read of the configuration's files: every worker goes by the same, whatever the files hold by now. */
export function textsFromPrimary(): Promise<Texts> {
  return new Promise((resolve) => {
    const hear = (message: unknown) => {
      if (!isOurs(message) || (message as Order).type !== 'ssec-proxy/config') return
      process.off('message', hear)
      resolve(new Map((message as Extract<Order, { type: 'ssec-proxy/config' }>).texts))
    }
    process.on('message', hear)
    void report({ type: 'ssec-proxy/wants-config' })
  })
}

/** Resolves when the message has left; a primary that is gone hears nothing. */
function report(message: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
