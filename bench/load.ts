// A process of its own: sends requests that were signed in advance over connections that it keeps, each as soon as the
// one before it was answered. Anything but 200 ends the run.
import { connect, type TLSSocket } from 'node:tls'
import { readFileSync } from 'node:fs'
import { buffersOf } from './content.js'
import { httpReader, writeAll } from './http-reader.js'
import type { LoadJob, LoadMessage, LoadRequest } from './load-job.js'

const say = (message: LoadMessage): void => void process.send?.(message)

interface Tally {
  bytes: number
  readonly latenciesMs: number[]
}

/** One connection. `send` resolves with the answer's last byte. */
interface Connection {
  readonly send: (request: LoadRequest, tally: Tally) => Promise<void>
  readonly close: () => void
}

function open(job: LoadJob, ca: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let tally: Tally = { bytes: 0, latenciesMs: [] }
    let done: () => void = () => undefined
    let fail: (cause: Error) => void = reject
    const feed = httpReader({
      head: (head) => {
        if (!head.startsWith('HTTP/1.1 200')) fail(new Error(`an answer was ${head.slice(0, 500)}`))
      },
      end: () => done(),
    })
    const socket: TLSSocket = connect(
      { host: '127.0.0.1', port: job.port, servername: 'localhost', ca, ALPNProtocols: ['http/1.1'] },
      () => {
        socket.setNoDelay(true)
        resolve({ send, close: () => socket.destroy() })
      },
    )
    const send = (request: LoadRequest, into: Tally) =>
      new Promise<void>((resolveSent, rejectSent) => {
        tally = into
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

async function run(job: LoadJob): Promise<void> {
  const ca = readFileSync(job.caFile, 'utf8')
  const connections = await Promise.all(Array.from({ length: job.connections }, () => open(job, ca)))
  let next = 0
  const request = (): LoadRequest => job.requests[next++ % job.requests.length]!
  const ignored: Tally = { bytes: 0, latenciesMs: [] }
  await Promise.all(
    connections.map(async (connection) => {
      for (let i = 0; i < job.warmUp; i++) await connection.send(request(), ignored)
    }),
  )
  const go = new Promise((resolve) => process.once('message', resolve))
  say({ type: 'warm' })
  await go
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + job.forMs
  const tally: Tally = { bytes: 0, latenciesMs: [] }
  const drive = async (connection: Connection): Promise<void> => {
    for (let i = 0; i < job.most && performance.now() < end; i++) {
      const sent = performance.now()
      await connection.send(request(), tally)
      tally.latenciesMs.push(performance.now() - sent)
    }
  }
  const all = Promise.all(connections.map(drive))
  if (job.atTheEnd === 'end') await all
  else await Promise.race([all, new Promise((resolve) => setTimeout(resolve, job.forMs))])
  const ms = performance.now() - start
  const used = process.cpuUsage(cpu)
  const sorted = tally.latenciesMs.sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  const result = {
    requests: sorted.length,
    bytes: tally.bytes,
    ms,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuSeconds: (used.user + used.system) / 1e6,
  }
  all.catch(() => undefined)
  for (const { close } of connections) close()
  say({ type: 'result', result })
}

process.once('message', (job) => {
  run(job as LoadJob).catch((cause: unknown) => say({ type: 'failed', reason: (cause as Error).message }))
})
process.on('disconnect', () => process.exit(0))
