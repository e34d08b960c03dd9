import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { stopChild } from './child.js'
import type { LoadJob, LoadMessage, LoadResult } from './load-job.js'

const PROGRAM = fileURLToPath(new URL('load.js', import.meta.url))

/**
 * Runs one load in a process of its own.
 *
 * @param whenWarm called when all connections are open and warm, and before the clock starts
 * @throws Error where an answer was not 200
 */
export async function makeLoad(job: LoadJob, whenWarm: () => void): Promise<LoadResult> {
  const child = fork(PROGRAM)
  try {
    return await new Promise<LoadResult>((resolve, reject) => {
      child.on('message', (message) => {
        const said = message as LoadMessage
        switch (said.type) {
          case 'warm':
            whenWarm()
            child.send('go')
            return
          case 'result':
            resolve(said.result)
            return
          case 'failed':
            reject(new Error(`${job.name}: ${said.reason}`))
        }
      })
      child.once('exit', (code) => reject(new Error(`the load ended with ${code}`)))
      child.once('error', reject)
      child.send(job)
    })
  } finally {
    await stopChild(child)
  }
}
