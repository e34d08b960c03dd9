import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { buffersOf } from './content.js'
import { httpReader, writeAll } from './http-reader.js'
import type { LoadJob, LoadRequest } from './load-job.js'
import { restAfter } from './slow-reader.js'

/** What is counted while requests run. */
export interface Tally {
  bytes: number
  readonly latenciesMs: number[]
}

export const newTally = (): Tally => ({ bytes: 0, latenciesMs: [] })

/** One connection. `send` resolves with the answer's last byte. */
export interface Connection {
  readonly send: (request: LoadRequest, tally: Tally) => Promise<void>
  readonly close: () => void
}

/** Opens one. Anything but 200 fails its request. */
export function openConnection({ port, scheme }: Pick<LoadJob, 'port' | 'scheme'>, ca: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let tally = newTally()
    let slow = false
    let done: () => void = () => undefined
    let fail: (cause: Error) => void = reject
    const feed = httpReader({
      head: (head) => {
        if (!head.startsWith('HTTP/1.1 200')) fail(new Error(`an answer was ${head.slice(0, 500)}`))
      },
      end: () => done(),
    })
    const opened = (): void => {
      socket.setNoDelay(true)
      resolve({ send, close: () => socket.destroy() })
    }
    const to = { host: '127.0.0.1', port }
    const socket: Socket =
      scheme === 'http'
        ? connectPlain(to, opened)
        : connectTls({ ...to, servername: 'localhost', ca, ALPNProtocols: ['http/1.1'] }, opened)
    const send = (request: LoadRequest, into: Tally) =>
      new Promise<void>((resolveSent, rejectSent) => {
        tally = into
        slow = request.reads === 'slow'
        done = resolveSent
        fail = rejectSent
        socket.write(request.head, 'latin1')
        if (request.body.length > 0) writeAll(socket, counted(request, into))
      })
    socket.on('data', (chunk: Buffer) => {
      try {
        tally.bytes += feed(chunk)
      } catch (cause) {
        fail(cause as Error)
      }
      if (slow) restAfter(socket, chunk.length)
    })
    socket.on('error', (cause: Error) => fail(cause))
    socket.on('close', () => fail(new Error('a connection was closed')))
  })
}

function* counted(request: LoadRequest, tally: Tally): Generator<Buffer> {
  for (const buffer of buffersOf(request.body)) {
    tally.bytes += buffer.length
    yield buffer
  }
}
