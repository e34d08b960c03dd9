import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { ConnectionOptions, SocketCounts } from '../agents.js'

/** Who waits for a connection, or has one. */
export interface Taker {
  /** Called once, with a connection that may still be connecting: nothing is to be written before it is authorized. */
  readonly take: (lease: Lease) => void
}

/** A connection on loan. Exactly one of the two is called, once. */
export interface Lease {
  readonly socket: TLSSocket
  /** For the next request: the last answer was whole, and nothing of the request is left. */
  readonly giveBack: (seconds: number) => void
  readonly discard: () => void
}

export interface Pool {
  /** @returns how to step back while waiting */
  readonly ask: (hostname: string, port: number, taker: Taker) => () => void
  readonly counts: () => SocketCounts
  /** Destroys every connection, used or not, and resolves when all are closed. Who waits is not told. */
  readonly close: () => Promise<void>
}

/** Connections to one name and port. */
interface Host {
  readonly free: TLSSocket[]
  readonly used: Set<TLSSocket>
  readonly waiting: Set<Taker>
  /** Of the last handshake, to resume. */
  session: Buffer | undefined
}

/**
 * Kept connections over verified TLS, the last one used first, so that those that are not needed grow old.
 *
 * @param options `maxSockets` is for each host; a connection that is not used is closed after `keepAliveMs`, or earlier where
 *   the upstream said so, because it would close it in the very moment of the next request
 * @param isKept whether connections serve more than one request
 */
export function connectionPool(options: ConnectionOptions, isKept: boolean): Pool {
  const hosts = new Map<string, Host>()
  const open = new Set<TLSSocket>()
  let isClosed = false

  const hostOf = (name: string): Host => {
    const known = hosts.get(name)
    if (known !== undefined) return known
    const made: Host = { free: [], used: new Set(), waiting: new Set(), session: undefined }
    hosts.set(name, made)
    return made
  }

  const makeSocket = (host: Host, hostname: string, port: number): TLSSocket => {
    const socket = connect({
      host: hostname,
      port,
      servername: isIP(hostname) === 0 ? hostname : '',
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(host.session === undefined ? {} : { session: host.session }),
      ...(options.ca === 'system' ? {} : { ca: options.ca }),
    })
    socket.setNoDelay(true)
    open.add(socket)
    socket.on('session', (session) => (host.session = session))
    socket.on('error', ignore) // who has it on loan hears of it too
    socket.once('close', () => {
      open.delete(socket)
      host.used.delete(socket)
      const at = host.free.indexOf(socket)
      if (at >= 0) host.free.splice(at, 1)
      // a session of a handshake that failed would fail the next one as well
      if (!socket.authorized) host.session = undefined
      serve(host, hostname, port)
    })
    return socket
  }

  const lend = (host: Host, socket: TLSSocket, taker: Taker, hostname: string, port: number): void => {
    host.used.add(socket)
    let isOver = false
    const end = (): boolean => {
      if (isOver) return false
      isOver = true
      return true
    }
    taker.take({
      socket,
      discard: () => {
        if (end()) socket.destroy()
      },
      giveBack: (seconds) => {
        if (!end()) return
        const keptMs = Math.min(options.keepAliveMs, Math.max(0, seconds * 1000 - EARLIER_MS))
        if (!isKept || isClosed || keptMs === 0 || socket.destroyed || socket.readableLength > 0) {
          socket.destroy()
          return
        }
        host.used.delete(socket)
        host.free.push(socket)
        rest(socket, keptMs)
        serve(host, hostname, port)
      },
    })
  }

  /** A free connection has nothing to say: bytes that nobody asked for, its end and its age all end it. */
  const rest = (socket: TLSSocket, keptMs: number): void => {
    socket.setTimeout(keptMs)
    socket.on('timeout', destroyThis).on('data', destroyThis).on('end', destroyThis)
    socket.resume()
    socket.unref()
  }

  const wake = (socket: TLSSocket): void => {
    socket.off('timeout', destroyThis).off('data', destroyThis).off('end', destroyThis)
    socket.setTimeout(0)
    socket.ref()
  }

  const serve = (host: Host, hostname: string, port: number): void => {
    for (const taker of host.waiting) {
      const socket = available(host, hostname, port)
      if (socket === 'none') return
      host.waiting.delete(taker)
      lend(host, socket, taker, hostname, port)
    }
  }

  const available = (host: Host, hostname: string, port: number): TLSSocket | 'none' => {
    for (let socket = host.free.pop(); socket !== undefined; socket = host.free.pop()) {
      wake(socket)
      if (!socket.destroyed && socket.writable && !socket.readableEnded) return socket
      socket.destroy()
    }
    return isClosed || host.used.size >= options.maxSockets ? 'none' : makeSocket(host, hostname, port)
  }

  return {
    ask: (hostname, port, taker) => {
      const host = hostOf(`${hostname} ${port}`)
      const socket = available(host, hostname, port)
      if (socket === 'none') host.waiting.add(taker)
      else lend(host, socket, taker, hostname, port)
      return () => host.waiting.delete(taker)
    },
    counts: () => {
      const all = [...hosts.values()]
      const sum = (of: (host: Host) => number): number => all.reduce((total, host) => total + of(host), 0)
      return {
        inUse: sum(({ used }) => used.size),
        free: sum(({ free }) => free.length),
        pending: sum(({ waiting }) => waiting.size),
      }
    },
    close: async () => {
      isClosed = true
      for (const host of hosts.values()) host.waiting.clear()
      await Promise.all(
        [...open].map(
          (socket) =>
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

function destroyThis(this: TLSSocket): void {
  this.destroy()
}

const ignore = (): void => undefined
