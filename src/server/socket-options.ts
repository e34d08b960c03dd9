import type { ServerOpts } from 'node:net'

/** Of every listener's sockets. */
export const SOCKET_OPTIONS: ServerOpts = {
  /** A client that ends its side first may still have to hear why its request was refused. */
  allowHalfOpen: true,
  noDelay: true,
  /** TCP's probes find peers that vanished without a word. */
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
}
