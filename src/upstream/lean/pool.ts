import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { ConnectionOptions, SocketCounts } from '../agents.js'
import { Connection, type ConnectionUser } from './connection.js'

/** Who waits for a connection, or has one. */
export interface Taker extends ConnectionUser {
  /** Called once, with a connection that may still be connecting: nothing is to be written before it is authorized. */
  onLease(lease: Lease): void
  /** Called now and then while it waits or has one, to look at its clocks. */
  onTick(now: number): void
}

/** A connection on loan. Exactly one of the two is called, once. */
export interface Lease {
  readonly connection: Connection
  /** For the next request: the last answer was whole, and nothing of the request is left. */
  giveBack(seconds: number): void
  discard(): void
}

export interface Pool {
  /** Gives a connection, now or later. */
  readonly ask: (hostname: string, port: number, taker: Taker) => void
  /** Who waits no longer. */
  readonly stepBack: (hostname: string, port: number, taker: Taker) => void
  readonly counts: () => SocketCounts
  readonly now: () => number
  /** Destroys every connection, used or not, and resolves when all are closed. Who waits is not told. */
  readonly close: () => Promise<void>
}

/** Connections to one name and port. */
interface Host {
  readonly hostname: string
  readonly port: number
  readonly free: Connection[]
  readonly used: Map<Connection, Taker>
  readonly waiting: Set<Taker>
  /** Of the last handshake, to resume. */
  session: Buffer | undefined
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
  const hosts = new Map<string, Host>()
  const open = new Set<Connection>()
  const now = (): number => performance.now()
  let isClosed = false
  let ticking: NodeJS.Timeout | undefined
  let last: Host | undefined

  const hostOf = (hostname: string, port: number): Host => {
    if (last?.hostname === hostname && last.port === port) return last
    const name = `${hostname} ${port}`
    last = hosts.get(name)
    if (last !== undefined) return last
    last = { hostname, port, free: [], used: new Map(), waiting: new Set(), session: undefined }
    hosts.set(name, last)
    return last
  }

  const tick = (): void => {
    const at = now()
    for (const host of hosts.values()) {
      for (const taker of [...host.waiting, ...host.used.values()]) taker.onTick(at)
      for (const connection of host.free.filter(({ restsUntil }) => restsUntil <= at)) connection.socket.destroy()
    }
  }

  const newConnection = (host: Host, taker: Taker): Connection => {
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
    const connection = new Connection(socket, taker, now)
    open.add(connection)
    socket.on('session', (given) => (host.session = given))
    socket.once('close', () => {
      open.delete(connection)
      host.used.delete(connection)
      const at = host.free.indexOf(connection)
      if (at >= 0) host.free.splice(at, 1)
      // a session of a handshake that failed would fail the next one as well
      if (!socket.authorized) host.session = undefined
      serve(host)
    })
    return connection
  }

  const lend = (host: Host, connection: Connection, taker: Taker): void => {
    host.used.set(connection, taker)
    connection.user = taker
    taker.onLease(new OneLease(connection, host, giveBack))
  }

  const giveBack = (host: Host, connection: Connection, seconds: number): void => {
    const { socket } = connection
    const keptMs = Math.min(options.keepAliveMs, Math.max(0, seconds * 1000 - EARLIER_MS))
    if (!isKept || isClosed || keptMs === 0 || socket.destroyed || socket.readableLength > 0) {
      socket.destroy()
      return
    }
    host.used.delete(connection)
    connection.restsUntil = now() + keptMs
    connection.user = new Resting(connection)
    connection.resume()
    host.free.push(connection)
    socket.unref()
    if (host.waiting.size > 0) serve(host)
  }

  const serve = (host: Host): void => {
    for (const taker of host.waiting) {
      const connection = available(host, taker)
      if (connection === 'none') return
      host.waiting.delete(taker)
      lend(host, connection, taker)
    }
  }

  const available = (host: Host, taker: Taker): Connection | 'none' => {
    for (let kept = host.free.pop(); kept !== undefined; kept = host.free.pop()) {
      const { socket } = kept
      if (!socket.destroyed && socket.writable && !socket.readableEnded && now() < kept.restsUntil) {
        socket.ref()
        return kept
      }
      socket.destroy()
    }
    return isClosed || host.used.size >= options.maxSockets ? 'none' : newConnection(host, taker)
  }

  return {
    ask: (hostname, port, taker) => {
      if (!isClosed) ticking ??= setInterval(tick, tickMs(options)).unref()
      const host = hostOf(hostname, port)
      const connection = available(host, taker)
      if (connection === 'none') host.waiting.add(taker)
      else lend(host, connection, taker)
    },
    stepBack: (hostname, port, taker) => void hostOf(hostname, port).waiting.delete(taker),
    counts: () => {
      const all = [...hosts.values()]
      const sum = (of: (host: Host) => number): number => all.reduce((total, host) => total + of(host), 0)
      return {
        inUse: sum(({ used }) => used.size),
        free: sum(({ free }) => free.length),
        pending: sum(({ waiting }) => waiting.size),
      }
    },
    now,
    close: async () => {
      isClosed = true
      clearInterval(ticking)
      for (const host of hosts.values()) host.waiting.clear()
      await Promise.all(
        [...open].map(
          ({ socket }) =>
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
  readonly connection: Connection
  readonly #host: Host
  readonly #giveBack: GiveBack
  #isOver = false

  constructor(connection: Connection, host: Host, giveBack: GiveBack) {
    this.connection = connection
    this.#host = host
    this.#giveBack = giveBack
  }

  giveBack(seconds: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#giveBack(this.#host, this.connection, seconds)
  }

  discard(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.connection.socket.destroy()
  }
}

type GiveBack = (host: Host, connection: Connection, seconds: number) => void

/** A free connection has nothing to say: bytes that nobody asked for and its end both end it. */
class Resting implements ConnectionUser {
  readonly #connection: Connection
  constructor(connection: Connection) {
    this.#connection = connection
  }
  onBytes(): void {
    this.#connection.socket.destroy()
  }
  onHalfClosed(): void {
    this.#connection.socket.destroy()
  }
  onConnected(): void {}
  onError(): void {}
  onClosed(): void {}
  onDrain(): void {}
}
