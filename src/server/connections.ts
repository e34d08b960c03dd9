import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** One request and its answer, from the request's head until both the answer and the handler are done. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client sends no body before it is told to go on. */
  awaitsContinue: boolean
  /** Called when the connection is gone: node tells the response that has the connection, not those queued behind it. */
  readonly cutOff: () => void
}

export interface Connections {
  /** From 'connection' (http) or 'secureConnection' (https). */
  readonly add: (socket: Socket) => void
  /** From 'connection' of https: the socket under TLS, which counts until the handshake is over. */
  readonly addRaw: (socket: Socket) => void
  exchangesOn(socket: Socket): readonly Exchange[]
  /** Whether the connection is at its end, so that no further request on it may be served. */
  isClosing(socket: Socket): boolean
  /** The next answer is the connection's last; what is pipelined behind it must not run. */
  markClosing(socket: Socket): void
  begin(exchange: Exchange): void
  end(exchange: Exchange): void
  inFlight(): number
  draining(): boolean
  /** Closes what is idle now, and every other connection as it becomes idle. */
  drain(): void
  /** Resolves when nothing is in flight. */
  quiet(): Promise<void>
  destroyAll(): void
}

interface State {
  readonly exchanges: Set<Exchange>
  /** The only request whose body may still be on its way. */
  last: IncomingMessage | 'none'
  closing: boolean
}

/**
 * Keeps book of connections and of what runs on them. node:http has such a list too, but its close() destroys
 * connections whose answer was ended and not yet sent, which would cut the last bytes off a slow client's download.
 *
 * @param lingerMs how long a connection that is being closed goes on taking in what its client still sends
 */
export function openConnections(lingerMs: number): Connections {
  const states = new Map<Socket, State>()
  const raw = new Set<Socket>()
  const waiting = new Set<() => void>()
  let inFlight = 0
  let draining = false

  return {
    add(socket) {
      const state: State = { exchanges: new Set(), last: 'none', closing: false }
      states.set(socket, state)
      socket.once('close', () => {
        states.delete(socket)
        for (const exchange of state.exchanges) exchange.cutOff()
      })
      lingerOnClose(socket, state, lingerMs)
    },
    addRaw(socket) {
      raw.add(socket)
      socket.once('close', () => raw.delete(socket))
    },
    exchangesOn: (socket) => [...(states.get(socket)?.exchanges ?? [])],
    isClosing: (socket) => states.get(socket)?.closing ?? true,
    markClosing(socket) {
      const state = states.get(socket)
      if (state !== undefined) state.closing = true
    },
    begin(exchange) {
      inFlight += 1
      const state = states.get(exchange.request.socket)
      if (state === undefined) return
      state.exchanges.add(exchange)
      state.last = exchange.request
    },
    end(exchange) {
      inFlight -= 1
      const { socket } = exchange.request
      const state = states.get(socket)
      state?.exchanges.delete(exchange)
      if (draining && state?.closing === false && state.exchanges.size === 0) socket.destroySoon()
      if (inFlight === 0) for (const resolve of waiting) resolve()
    },
    inFlight: () => inFlight,
    draining: () => draining,
    drain() {
      draining = true
      for (const [socket, { exchanges, closing }] of states) {
        if (exchanges.size === 0 && !closing) socket.destroySoon()
        for (const { response } of exchanges) if (!response.headersSent) response.shouldKeepAlive = false
      }
    },
    quiet: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
    destroyAll() {
      for (const socket of [...states.keys(), ...raw]) socket.destroy()
    },
  }
}

/**
 * Closing a socket with unread bytes in it resets the connection, and the reset overtakes the answer: the client of a
 * refused upload would see a broken pipe and not why (RFC 9112, 9.6). So node's call to close the connection after an
 * answer only ends our side while the client still sends; the rest is taken in for a while and dropped.
 */
function lingerOnClose(socket: Socket, state: State, lingerMs: number): void {
  const closeNow = socket.destroySoon.bind(socket)
  socket.destroySoon = () => {
    state.closing = true
    const unread = state.last
    if (unread === 'none' || unread.complete) {
      closeNow()
      return
    }
    socket.end()
    dropRest(unread)
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    unread.once('end', closeNow)
    socket.once('end', closeNow)
    socket.once('close', () => clearTimeout(timer))
  }
}

/** Reads on without keeping anything. */
export function dropRest(request: IncomingMessage): void {
  request.unpipe()
  request.resume()
}
