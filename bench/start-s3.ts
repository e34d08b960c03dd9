import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { stopChild } from './child.js'
import type { Workshop } from './workshop.js'

const PROGRAM = fileURLToPath(new URL('s3-stand-in.js', import.meta.url))

export interface RunningS3 {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Starts what stands in for S3 behind everything that is measured. */
export async function startS3({ certFile, keyFile }: Workshop): Promise<RunningS3> {
  const child = fork(PROGRAM, [certFile, keyFile])
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port))
    child.once('exit', (code) => reject(new Error(`the stand-in of S3 ended with ${code}`)))
    child.once('error', reject)
  })
  return { pid: child.pid!, port, stop: () => stopChild(child) }
}
