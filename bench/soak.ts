import { type TLSSocket, connect } from 'node:tls'
import { buffersOf, sizeOf } from './content.js'
import { httpReader } from './http-reader.js'
import type { LoadRequest } from './load-job.js'

/** What goes wrong with one request of the soak, and on which side. */
export type Abort = (typeof ABORTS)[number]

/** The client hangs up in the middle of the request's head, of its body, of the answer; the upstream at the same places. */
export const ABORTS = ['in-head', 'in-body', 'in-answer', 'unanswered', 'half-answered', 'half-read'] as const

export interface SoakJob {
  readonly port: number
  readonly ca: string
  readonly connections: number
  /** How many requests; every twentieth is aborted, each way in turn. */
  readonly requests: number
  readonly whole: readonly LoadRequest[]
  /** Requests to abort; those that the upstream aborts are for objects with which it does. */
  readonly aborted: Readonly<Record<Abort, LoadRequest>>
}

export interface SoakTally {
  done: number
  aborted: number
  /** Whole requests that did not get 200, with what they got; the first few. */
  readonly failures: string[]
}

const ONE_IN = 20

/** A connection and what is under way on it. */
interface Client {
  readonly socket: TLSSocket
  /** Resolves with the status of the next whole answer, or `closed`. */
  readonly answered: () => Promise<number | 'closed'>
  readonly firstBytes: () => Promise<void>
}

/** Sends all requests, aborts some, and resolves when the last is over and every connection closed. */
export async function soak(job: SoakJob): Promise<SoakTally> {
  const tally: SoakTally = { done: 0, aborted: 0, failures: [] }
  let next = 0
  const work = async (): Promise<void> => {
    let client = await open(job)
    while (next < job.requests) {
      const i = next++
      if (client.socket.destroyed) client = await open(job)
      if (i % ONE_IN === ONE_IN - 1) {
        await abort(client, job.aborted, ABORTS[Math.floor(i / ONE_IN) % ABORTS.length]!)
        tally.aborted++
      } else {
        const status = await exchange(client, job.whole[i % job.whole.length]!)
        if (status !== 200 && tally.failures.length < 10) tally.failures.push(`request ${i}: ${status}`)
      }
      tally.done++
    }
    client.socket.destroy()
  }
  await Promise.all(Array.from({ length: job.connections }, work))
  return tally
}

function open({ port, ca }: SoakJob): Promise<Client> {
  return new Promise((resolve, reject) => {
    let status = 0
    let last = false
    let answered: (status: number | 'closed') => void = () => undefined
    let begun: () => void = () => undefined
    const feed = httpReader({
      head: (head) => {
        status = Number(head.slice(9, 12))
        last = /\r\nconnection: *close/i.test(head)
      },
      end: () => {
        if (last) socket.destroy()
        answered(status)
      },
    })
    const to = { host: '127.0.0.1', port, servername: 'localhost', ca, ALPNProtocols: ['http/1.1'] }
    const socket = connect(to, () => {
      socket.setNoDelay(true)
      resolve({
        socket,
        answered: () => new Promise((resolveAnswer) => (answered = resolveAnswer)),
        firstBytes: () => new Promise((resolveBytes) => (begun = resolveBytes)),
      })
    })
    socket.on('data', (chunk: Buffer) => {
      begun()
      feed(chunk)
    })
    socket.on('error', (cause: Error) => reject(cause))
    socket.on('close', () => {
      answered('closed')
      begun()
    })
  })
}

async function exchange({ socket, answered }: Client, request: LoadRequest): Promise<number | 'closed'> {
  const answer = answered()
  socket.write(request.head, 'latin1')
  for (const buffer of buffersOf(request.body)) socket.write(buffer)
  return answer
}

async function abort(client: Client, requests: SoakJob['aborted'], how: Abort): Promise<void> {
  const { socket } = client
  const request = requests[how]
  switch (how) {
    case 'in-head':
      await written(socket, Buffer.from(request.head.slice(0, request.head.length / 2), 'latin1'))
      break
    case 'in-body':
      await written(socket, Buffer.from(request.head, 'latin1'))
      await written(socket, Buffer.alloc(Math.floor(sizeOf(request.body) / 2)))
      break
    case 'in-answer': {
      const begun = client.firstBytes()
      socket.write(request.head, 'latin1')
      await begun
      break
    }
    case 'unanswered':
    case 'half-answered':
    case 'half-read':
      await exchange(client, request)
      return
  }
  socket.destroy()
}

const written = (socket: TLSSocket, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => socket.write(bytes, () => resolve()))
