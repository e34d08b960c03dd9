// A process of its own: clients that each have had one answer and keep their connection.
import { readFileSync } from 'node:fs'
import { type Connection, newTally, openConnection } from './connection.js'
import type { LoadRequest } from './load-job.js'

export interface IdleJob {
  readonly port: number
  readonly scheme: 'https' | 'http'
  readonly caFile: string
  readonly clients: number
  readonly request: LoadRequest
}

export type IdleMessage = { readonly type: 'idle' } | { readonly type: 'failed'; readonly reason: string }

const say = (message: IdleMessage): void => void process.send?.(message)

/** Handshakes at a time. */
const AT_A_TIME = 8

async function run(job: IdleJob): Promise<void> {
  const ca = readFileSync(job.caFile, 'utf8')
  // held so that nothing of them is collected
  const open: Connection[] = []
  const one = async (): Promise<void> => {
    for (let begun = 0; begun < job.clients / AT_A_TIME; begun++) {
      const connection = await openConnection(job, ca)
      await connection.send(job.request, newTally())
      open.push(connection)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, one))
  say({ type: 'idle' })
}

process.once('message', (job) => {
  run(job as IdleJob).catch((cause: unknown) => say({ type: 'failed', reason: (cause as Error).message }))
})
process.on('disconnect', () => process.exit(0))
