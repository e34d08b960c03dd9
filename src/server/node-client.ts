import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Readable, Transform, type TransformCallback, type Writable } from 'node:stream'
import type { ClientRequest, ClientResponse } from '../proxy/handler.js'
import { S3Error } from '../s3/error.js'

/** Node's request as handlers know it. */
export const nodeRequest = (message: IncomingMessage): ClientRequest => ({
  method: message.method ?? '',
  url: message.url ?? '',
  rawHeaders: message.rawHeaders,
  remoteAddress: message.socket.remoteAddress ?? 'unix',
  isBodyDue: () => isBodyDue(message),
  openBody: () => bodyOf(message),
})

/** Node calls a request complete only after its handler's first turn, one without a body too. */
export function isBodyDue({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
}

function bodyOf(message: IncomingMessage): Readable {
  const body = new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      callback(null, chunk)
    },
  })
  const cutOff = () => {
    if (!message.complete) body.destroy(new S3Error('IncompleteBody'))
  }
  message.once('close', cutOff)
  message.once('error', cutOff)
  body.once('close', () => {
    message.off('close', cutOff)
    message.unpipe(body)
    message.on('error', () => undefined)
  })
  // Whoever reads the body hears of its errors; until somebody does, they must not end the process.
  body.on('error', () => undefined)
  message.pipe(body)
  return body
}

/** Node's response as handlers know it. */
export function nodeResponse(response: ServerResponse): ClientResponse {
  let drained: () => void = () => undefined
  response.on('drain', () => drained())
  return {
    get headersSent() {
      return response.headersSent
    },
    get destroyed() {
      return response.destroyed
    },
    writeContinue: () => response.writeContinue(),
    writeHead: (status, headers) => {
      response.sendDate = !headers.has('date')
      // Refused early: the rest of the upload is not wanted, and the client should know before it has sent it.
      const closing = isBodyDue(response.req) ? { connection: 'close' } : {}
      response.writeHead(status, { ...Object.fromEntries(headers), ...closing })
    },
    write: (chunk) => response.write(chunk),
    end: (last) => void response.end(last),
    onDrain: (listener) => (drained = listener),
    destroy: () => void response.destroy(),
    onOver: (listener) => {
      if (response.writableFinished || response.destroyed) {
        listener(response.writableFinished ? 'sent' : 'cut')
        return
      }
      response.once('finish', () => listener('sent'))
      response.once('close', () => {
        if (!response.writableFinished) listener('cut')
      })
    },
    bodyStream: (): Writable => response,
  }
}
