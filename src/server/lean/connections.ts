import type { Socket } from 'node:net'

/** What the book knows of a connection. */
export interface Booked {
  /** Nothing runs on it: it may be closed at any time. */
  readonly closeIfIdle: () => void
  /** Looks whether one of its limits has passed. `now`: monotonic, in ms. */
  readonly check: (now: number) => void
  readonly destroy: () => void
}

/** Connections, and the requests that run on them. */
export interface Connections {
  readonly add: (connection: Booked) => void
  readonly remove: (connection: Booked) => void
  /** From 'connection' of https: the socket under TLS, which counts until the handshake is over. */
  readonly addRaw: (socket: Socket) => void
  readonly begin: () => void
  /** Both the answer and the handler are done. */
  readonly end: () => void
  readonly inFlight: () => number
  readonly draining: () => boolean
  /** Closes what is idle now, and every other connection as it becomes idle. */
  readonly drain: () => void
  /** Resolves when nothing is in flight. */
  readonly quiet: () => Promise<void>
  readonly destroyAll: () => void
  /** Stops the clock of the limits. */
  readonly stop: () => void
}

/**
 * Keeps book of connections. Their limits are looked at by one timer for all: a timer of its own for each connection would be
 * moved with every request.
 *
 * @param checkMs between two looks
 */
export function openConnections(checkMs: number): Connections {
  const open = new Set<Booked>()
  const raw = new Set<Socket>()
  const waiting = new Set<() => void>()
  let inFlight = 0
  let draining = false
  const clock = setInterval(() => {
    const now = performance.now()
    for (const connection of open) connection.check(now)
  }, checkMs).unref()

  return {
    add: (connection) => void open.add(connection),
    remove: (connection) => void open.delete(connection),
    addRaw(socket) {
      raw.add(socket)
      socket.once('close', () => raw.delete(socket))
    },
    begin() {
      inFlight += 1
    },
    end() {
      inFlight -= 1
      if (inFlight === 0) for (const resolve of waiting) resolve()
    },
    inFlight: () => inFlight,
    draining: () => draining,
    drain() {
      draining = true
      for (const connection of open) connection.closeIfIdle()
    },
    quiet: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
    destroyAll() {
      for (const connection of open) connection.destroy()
      for (const socket of raw) socket.destroy()
    },
    stop: () => clearInterval(clock),
  }
}

/** How often limits of these lengths, in ms, are looked at. */
export const checkInterval = (limits: readonly number[]): number =>
  Math.min(250, Math.max(20, Math.floor(Math.min(...limits) / 4)))
