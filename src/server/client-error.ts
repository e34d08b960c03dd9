import type { Dispatch } from './dispatch.js'
import { S3Error } from '../s3/error.js'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { refusal, refusalEvent, refusalText } from './refusal.js'

/** How long a broken connection may still take its answer. */
const LAST_WORDS_MS = 1_000

/** Answers what node's parser refuses, once, and closes the connection. */
export function answerClientErrors(server: Server, to: Dispatch): void {
  const answered = new WeakSet<Socket>()
  server.on('clientError', (fault: NodeJS.ErrnoException, socket: Socket) => {
    if (answered.has(socket)) return
    answered.add(socket)
    const exchanges = to.connections.exchangesOn(socket)
    const error = answerTo(fault)
    const begun = exchanges.some(({ response }) => response.headersSent)
    if (error === 'none' || begun || !socket.writable || to.connections.isClosing(socket)) {
      socket.destroy()
      return
    }
    const refused = refusal(error, '')
    const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS)
    socket.once('close', () => clearTimeout(timer))
    socket.once('end', () => socket.destroySoon())
    socket.end(refusalText(refused), 'latin1')
    const remoteAddress = socket.remoteAddress ?? 'unix'
    // Where the head was good and the body is not, the handler tells what became of the request.
    if (exchanges.length === 0) {
      to.observe(refusalEvent(refused, { listener: to.listener, remoteAddress, method: 'unknown' }))
    }
  })
}

/** Codes of node:http and llhttp; all others (resets, TLS alerts) leave nobody to answer. */
function answerTo(cause: NodeJS.ErrnoException): S3Error | 'none' {
  const { code = '' } = cause
  if (code === 'HPE_HEADER_OVERFLOW') return new S3Error('RequestHeaderSectionTooLarge', { cause })
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new S3Error('RequestTimeout', { cause })
  return code.startsWith('HPE_') ? new S3Error('BadRequest', { cause }) : 'none'
}
