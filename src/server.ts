import type { Config, ListenerConfig } from './config/types.js'
import { type Drained, drain } from './server/drain.js'
import type { Handler, ListenerInfo } from './proxy/handler.js'
import { type OpenListener, openListener } from './server/open-listener.js'
import type { Logger } from './telemetry/logger.js'
import type { RequestObserver } from './proxy/event.js'
import type { Server, Socket } from 'node:net'
import type { WatchTimes } from './server/watch-files.js'
import { serveConnection } from './server/lean/client-connection.js'
import { checkInterval, openConnections } from './server/lean/connections.js'
import { prepare } from './server/lean/service.js'

export interface ServerTimes extends WatchTimes {
  /** How long the rest of an upload that was answered early is taken in and dropped. */
  readonly lingerMs: number
}

export const SERVER_TIMES: ServerTimes = { settleMs: 500, pollMs: 30_000, lingerMs: 10_000 }

export interface StartOptions {
  readonly listeners: readonly ListenerConfig[]
  readonly timeouts: Config['timeouts']
  readonly times: ServerTimes
  readonly handler: Handler
  readonly log: Logger
  /** Hears of requests that never got to the handler: bad heads, unknown expectations, requests while draining. */
  readonly observe: RequestObserver
  /** Why no request may be carried out now; `none` where there is no reason. */
  readonly outOfOrder: () => string | 'none'
  /** Is told of the bytes of each piece that comes from a client or goes to one. */
  readonly onBytes: (bytes: number) => void
  readonly onCertificate: (certificate: { readonly listener: string; readonly notAfter: Date }) => void
  /** Hears of a changed certificate that is refused, and of the end of that. */
  readonly onCertificateReload: (listener: string, result: 'accepted' | 'refused') => void
}

export interface Listeners {
  readonly addresses: readonly { readonly listener: ListenerInfo; readonly address: string }[]
  /** Requests that are running now. */
  readonly inFlight: () => number
  /** Looks at certificate files now (SIGHUP); says in the log what it found. */
  readonly reloadCertificates: () => void
  /** Refuses new requests, lets running ones finish for `timeoutMs`, then cuts them off. */
  readonly close: (limit: { readonly timeoutMs: number }) => Promise<Drained>
}

/**
 * Opens every listener of the configuration, or none.
 *
 * @throws StartError with one line that says which listener and why
 */
export async function startListeners(options: StartOptions): Promise<Listeners> {
  const { handler, log, observe, timeouts, outOfOrder, onBytes } = options
  const { lingerMs } = options.times
  const connections = openConnections(checkInterval([timeouts.headersMs, timeouts.keepAliveMs, lingerMs]))
  const equip = (server: Server, listener: ListenerInfo) => {
    const service = prepare({ listener, handler, connections, log, observe, outOfOrder, onBytes, lingerMs, timeouts })
    const serve = (socket: Socket) => serveConnection(socket, service)
    if (listener.type === 'https') {
      server.on('connection', connections.addRaw)
      server.on('secureConnection', serve)
    } else {
      server.on('connection', serve)
    }
  }

  const open: OpenListener[] = []
  const close = async (timeoutMs: number) => {
    for (const { unwatch } of open) unwatch()
    return drain(
      open.map(({ server }) => server),
      connections,
      timeoutMs,
    )
  }
  try {
    for (const config of options.listeners) open.push(await openListener(config, options, equip))
  } catch (cause) {
    await close(0)
    throw cause
  }
  return {
    addresses: open.map(({ info, address }) => ({ listener: info, address })),
    inFlight: () => connections.inFlight(),
    reloadCertificates: () => {
      for (const { reload } of open) reload()
    },
    close: ({ timeoutMs }) => close(timeoutMs),
  }
}
