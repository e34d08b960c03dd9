import { type Order, type Report, isOurs } from './messages.js'
import cluster from 'node:cluster'

/** One worker process, seen from its primary. */
export interface Fork {
  readonly id: number
  readonly tell: (order: Order) => void
  readonly kill: () => void
}

/** What a worker said; or that it is gone, and how: `code 1`, `SIGKILL`. */
export type News = Report | { readonly type: 'gone'; readonly how: string }

/** Starts a copy of this program as a worker. `hear` gets its reports in order, and `gone` last, once. */
export function fork(hear: (news: News, from: Fork) => void): Fork {
  const worker = cluster.fork()
  const self: Fork = {
    id: worker.id,
    tell: (order) => {
      if (worker.isConnected()) worker.send(order, () => undefined)
    },
    kill: () => void worker.process.kill('SIGKILL'),
  }
  let over = false
  const gone = (how: string) => {
    if (over) return
    over = true
    hear({ type: 'gone', how }, self)
  }
  worker.on('message', (message: unknown) => {
    if (isOurs(message)) hear(message as Report, self)
  })
  worker.on('exit', (code: number | null, signal: string | null) => {
    const how = signal ?? `code ${code}`
    // What it said last may still be in the channel, which ends with 'disconnect'.
    if (worker.isConnected()) worker.once('disconnect', () => gone(how))
    else gone(how)
  })
  worker.on('error', (error) => {
    // A process that could not be made never exits.
    if (worker.process.pid === undefined) gone(error.message)
  })
  return self
}
