import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { type Bench, note } from '../bench.js'
import { stopChild } from '../child.js'
import { middle } from '../measure.js'
import { prepareProxy } from '../start-proxy.js'

/** Milliseconds of wall-clock, medians. */
export interface StartResult {
  readonly runs: number
  /** From the process' start to the first 200 of /readyz. */
  readonly toReadyMs: number
  /** The same node, started with nothing to do, to its end. */
  readonly nodeAloneMs: number
}

const RUNS = 5
const LIMIT_MS = 30_000

export async function measureStart(bench: Bench): Promise<StartResult> {
  note('start')
  const [ready, alone]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    ready.push(await toReady(bench))
    alone.push(await toEnd(bench.options.node))
  }
  return { runs: RUNS, toReadyMs: middle(ready), nodeAloneMs: middle(alone) }
}

async function toReady({ options, workshop, s3 }: Bench): Promise<number> {
  const plain = { node: options.node, profile: 'none' } as const
  const { program, adminPort } = await prepareProxy(plain, workshop, s3.port, 'lean pass')
  const log = openSync(program.logFile, 'a')
  const start = performance.now()
  const child = spawn(program.command, program.args, { stdio: ['ignore', log, log] })
  closeSync(log)
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    while (!(await isReady(adminPort))) {
      const ended = child.exitCode !== null || child.signalCode !== null
      if (ended || performance.now() - start > LIMIT_MS) {
        throw new Error(`the proxy did not start: ${readFileSync(program.logFile, 'utf8').slice(-2000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return performance.now() - start
  } finally {
    await stopChild(child)
    process.off('exit', kill)
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .once('error', () => resolve(false))
      .end()
  })
}

function toEnd(node: string): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    spawn(node, ['-e', '0'], { stdio: 'ignore' })
      .once('error', reject)
      .once('exit', () => resolve(performance.now() - start))
  })
}
