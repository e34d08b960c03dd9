import type { Connections, Exchange } from './connections.js'
import type { Logger } from '../telemetry/logger.js'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Ends connections whose client has stalled: nothing moved for `idleMs`, and it is the client's turn. While the
 * upstream or a key service makes everybody wait nobody is cut off here; they have limits of their own. A client that
 * moves a byte within the time is slow, not stalled.
 */
export function endStalled(
  server: Server,
  { idleMs, connections, listener, log }: { idleMs: number; connections: Connections; listener: string; log: Logger },
): void {
  server.timeout = idleMs
  // Node ends timed-out sockets by itself only while nobody listens to this event; it also stands for keepAliveTimeout.
  server.on('timeout', (socket: Socket) => {
    const exchanges = connections.exchangesOn(socket)
    if (exchanges.length === 0) {
      socket.destroySoon()
      return
    }
    const stalled = whoseTurn(socket, exchanges)
    if (stalled === 'ours') {
      socket.setTimeout(idleMs)
      return
    }
    log.info({ listener, remoteAddress: socket.remoteAddress ?? 'unix', idleMs, stalled }, 'stalled client cut off')
    socket.destroy()
  })
}

function whoseTurn(socket: Socket, exchanges: readonly Exchange[]): 'download' | 'upload' | 'ours' {
  if (socket.writableLength > 0) return 'download'
  const sender = exchanges.find(({ request }) => !request.complete)
  if (sender === undefined || sender.awaitsContinue) return 'ours'
  const { request } = sender
  // Full to the brim: we have stopped reading, so the client cannot send.
  return request.readableLength < request.readableHighWaterMark ? 'upload' : 'ours'
}
