import type { Connections } from './lean/connections.js'
import type { Server } from 'node:net'

/** Requests that were running when the drain began: ended by themselves, or cut off at its limit. */
export interface Drained {
  readonly finished: number
  readonly cut: number
}

/** How long handlers may take to notice that their connection is gone, and closed connections to say goodbye. */
const SETTLE_MS = 1_000

/**
 * Stops accepting, lets what runs finish within `timeoutMs`, then cuts it off. Resolves when everything is closed.
 * Requests that come on open connections meanwhile are answered 503, which clients repeat elsewhere.
 */
export async function drain(servers: readonly Server[], connections: Connections, timeoutMs: number): Promise<Drained> {
  const running = connections.inFlight()
  const closed = Promise.all(servers.map(stopAccepting))
  connections.drain()
  await within(timeoutMs, connections.quiet())
  // A request that came late and was refused is none of these.
  const cut = Math.min(running, connections.inFlight())
  if (cut === 0) await within(SETTLE_MS, closed)
  connections.destroyAll()
  await within(SETTLE_MS, Promise.all([connections.quiet(), closed]))
  // Only now: until here slow heads still have their limit.
  connections.stop()
  return { finished: running - cut, cut }
}

function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done, limit])
  clearTimeout(timer)
}
