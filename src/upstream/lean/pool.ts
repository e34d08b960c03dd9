import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { ConnectionOptions, SocketCounts } from '../agents.js'
import { Connection, type ConnectionUser } from './connection.js'
import { Hosts, type Host } from './hosts.js'

/** Who waits for a connection, or has one; hears of its ticks from the beginning. */
export interface Taker extends ConnectionUser {
  /** Called once, with a connection that may still be connecting: nothing is to be written before it is authorized. */
  onLease(lease: Lease): void
  /** The pool is closed. */
  onPoolClosed(): void
}

/** A connection on loan. Exactly one of the two is called, once. */
export interface Lease {
  readonly connection: Connection
  /** For the next request: the last answer was whole, and nothing of the request is left. */
  giveBack(seconds: number): void
  discard(): void
}

export interface Pool {
  /** Gives a connection, now or later, or tells that the pool is closed. `at`: now, by the pool's clock. */
  readonly ask: (hostname: string, port: number, taker: Taker, at: number) => void
  /** Who waits no longer. */
  readonly stepBack: (hostname: string, port: number, taker: Taker) => void
  readonly counts: () => SocketCounts
  readonly now: () => number
  /** Tells all takers, destroys every connection, used or not, and resolves when all are closed. */
  readonly close: () => Promise<void>
}

/**
 * Kept connections over verified TLS, the last one used first, so that those that are not needed grow old. One timer looks at all
 * clocks: a timer of its own for each request, or for each connection, would cost as much as the request's parsing.
 *
 * @param options `maxSockets` is for each host; a connection that is not used is closed after `keepAliveMs`, or earlier where
 *   the upstream said so, because it would close it in the very moment of the next request
 * @param isKept whether connections serve more than one request
 */
export function connectionPool(options: ConnectionOptions, isKept: boolean): Pool {
  const hosts = new Hosts<Kept>()
  const open = new Set<Kept>()
  const now = (): number => performance.now()
  let isClosed = false
  let ticking: NodeJS.Timeout | undefined

  const tick = (): void => {
    const at = now()
    for (const { waiting } of hosts.all()) for (const taker of waiting) taker.onTick(at)
    for (const { connection } of open) connection.user.onTick(at)
  }

  const newConnection = (host: Host<Kept>, taker: Taker): Kept => {
    const { hostname, port, session } = host
    const socket: TLSSocket = connect({
      host: hostname,
      port,
      servername: isIP(hostname) === 0 ? hostname : '',
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(session === undefined ? {} : { session }),
      ...(options.ca === 'system' ? {} : { ca: options.ca }),
    })
    socket.setNoDelay(true)
    const kept = new Kept(new Connection(socket, taker, now))
    open.add(kept)
    socket.on('session', (given) => (host.session = given))
    socket.once('close', () => {
      open.delete(kept)
      if (kept.lentTo !== 'none') host.used -= 1
      kept.lentTo = 'none'
      const at = host.free.indexOf(kept)
      if (at >= 0) host.free.splice(at, 1)
      // a session of a handshake that failed would fail the next one as well
      if (!socket.authorized) host.session = undefined
      serve(host)
      hosts.closed(host)
    })
    return kept
  }

  const lend = (host: Host<Kept>, kept: Kept, taker: Taker): void => {
    host.used += 1
    kept.lentTo = taker
    kept.connection.user = taker
    taker.onLease(new OneLease(kept, host, giveBack))
  }

  const giveBack = (host: Host<Kept>, kept: Kept, seconds: number): void => {
    const { connection } = kept
    const { socket } = connection
    const keptMs = Math.min(options.keepAliveMs, Math.max(0, seconds * 1000 - EARLIER_MS))
    // An answer may overtake the end of its request: who did not read that may never read the next one behind it.
    const isClean = socket.readableLength === 0 && socket.writableLength === 0
    if (!isKept || isClosed || keptMs === 0 || socket.destroyed || !isClean) {
      socket.destroy()
      return
    }
    host.used -= 1
    kept.lentTo = 'none'
    // Its last byte has just come, or gone: reading the clock once more would cost as much as all else here.
    kept.restsUntil = connection.lastActivity + keptMs
    connection.user = kept
    connection.resume()
    host.free.push(kept)
    socket.unref()
    if (host.waiting.size > 0) serve(host)
  }

  const serve = (host: Host<Kept>): void => {
    for (const taker of host.waiting) {
      const kept = available(host, taker, now())
      if (kept === 'none') return
      host.waiting.delete(taker)
      lend(host, kept, taker)
    }
  }

  const available = (host: Host<Kept>, taker: Taker, at: number): Kept | 'none' => {
    for (let kept = host.free.pop(); kept !== undefined; kept = host.free.pop()) {
      const { socket } = kept.connection
      if (!socket.destroyed && socket.writable && !socket.readableEnded && at < kept.restsUntil) {
        socket.ref()
        return kept
      }
      socket.destroy()
    }
    return isClosed || host.used >= options.maxSockets ? 'none' : newConnection(host, taker)
  }

  return {
    ask: (hostname, port, taker, at) => {
      if (isClosed) {
        taker.onPoolClosed()
        return
      }
      ticking ??= setInterval(tick, tickMs(options)).unref()
      const host = hosts.of(hostname, port)
      const kept = available(host, taker, at)
      if (kept === 'none') host.waiting.add(taker)
      else lend(host, kept, taker)
    },
    stepBack: (hostname, port, taker) => void hosts.of(hostname, port).waiting.delete(taker),
    counts: () => {
      const all = [...hosts.all()]
      const sum = (of: (host: Host<Kept>) => number): number => all.reduce((total, host) => total + of(host), 0)
      return {
        inUse: sum(({ used }) => used),
        free: sum(({ free }) => free.length),
        pending: sum(({ waiting }) => waiting.size),
      }
    },
    now,
    close: async () => {
      isClosed = true
      clearInterval(ticking)
      const waiting = [...hosts.all()].flatMap((host) => [...host.waiting])
      for (const taker of [...waiting, ...[...open].map(({ lentTo }) => lentTo)])
        if (taker !== 'none') taker.onPoolClosed()
      await Promise.all(
        [...open].map(
          ({ connection: { socket } }) =>
            new Promise<void>((resolve) => {
              socket.once('close', () => resolve())
              socket.destroy()
            }),
        ),
      )
    },
  }
}

/** Before the upstream's own time is over: the request that is on its way then must still be read. */
const EARLIER_MS = 1000

/** Limits are kept to an eighth of the shortest. */
const tickMs = ({ connectTimeoutMs, idleTimeoutMs, keepAliveMs }: ConnectionOptions): number =>
  Math.max(5, Math.min(1000, connectTimeoutMs / 8, idleTimeoutMs / 8, keepAliveMs / 8))

class OneLease implements Lease {
  readonly #kept: Kept
  readonly #host: Host<Kept>
  readonly #giveBack: GiveBack
  #isOver = false

  constructor(kept: Kept, host: Host<Kept>, giveBack: GiveBack) {
    this.#kept = kept
    this.#host = host
    this.#giveBack = giveBack
  }

  get connection(): Connection {
    return this.#kept.connection
  }

  giveBack(seconds: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#giveBack(this.#host, this.#kept, seconds)
  }

  discard(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.connection.socket.destroy()
  }
}

type GiveBack = (host: Host<Kept>, kept: Kept, seconds: number) => void

/** A connection of the pool, and its own user while nobody has it: bytes that nobody asked for, its end and its age all end it. */
class Kept implements ConnectionUser {
  readonly connection: Connection
  lentTo: Taker | 'none' = 'none'
  /** Until when it may wait for its next request, by the pool's clock. */
  restsUntil = 0

  constructor(connection: Connection) {
    this.connection = connection
  }
  onBytes(): void {
    this.connection.socket.destroy()
  }
  onHalfClosed(): void {
    this.connection.socket.destroy()
  }
  onTick(now: number): void {
    if (now >= this.restsUntil) this.connection.socket.destroy()
  }
  onConnected(): void {}
  onError(): void {}
  onClosed(): void {}
  onDrain(): void {}
}
