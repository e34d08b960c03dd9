import type { Handler, HandlerContext, ListenerInfo } from '../../proxy/handler.js'
import type { Config } from '../../config/types.js'
import type { Connections } from './connections.js'
import type { Logger } from '../../telemetry/logger.js'
import type { RequestObserver } from '../../proxy/event.js'

/** What all connections of a listener share. */
export interface Service {
  readonly listener: ListenerInfo
  readonly handler: Handler
  readonly connections: Connections
  readonly log: Logger
  /** Hears of the requests that are refused here; the handler tells of the others. */
  readonly observe: RequestObserver
  /** Why no request may be carried out now; `none` where there is no reason. */
  readonly outOfOrder: () => string | 'none'
  /** Is told of the bytes of each piece that comes from a client or goes to one. */
  readonly onBytes: (bytes: number) => void
  /** How long the rest of an upload is taken in after its answer. */
  readonly lingerMs: number
  readonly timeouts: Config['timeouts']
}

/** With what need not be put together for each request. */
export interface PreparedService extends Service {
  /** For handlers: of a client that waits for 100 Continue, and of all others. */
  readonly contexts: { readonly continue: HandlerContext; readonly other: HandlerContext }
  /** The last lines of the head of an answer behind which the connection is kept. */
  readonly keptLines: string
}

export function prepare(service: Service): PreparedService {
  const { listener, timeouts } = service
  const seconds = Math.floor(timeouts.keepAliveMs / 1000)
  return {
    ...service,
    contexts: {
      continue: { listener, expectsContinue: true },
      other: { listener, expectsContinue: false },
    },
    keptLines: `connection: keep-alive\r\n${seconds > 0 ? `keep-alive: timeout=${seconds}\r\n` : ''}\r\n`,
  }
}
