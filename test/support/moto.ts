import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './free-ports.js'
import { plainEnvironment } from './run-program.js'

/** What scripts/e2e-programs installs. */
const PROGRAM = fileURLToPath(new URL('../../node_modules/.cache/ssec-proxy-e2e/moto/bin/moto_server', import.meta.url))

export type StartedMoto =
  | { readonly type: 'running'; readonly port: number; readonly stop: () => Promise<void> }
  | { readonly type: 'unavailable'; readonly reason: string }

/** Starts moto's AWS, KMS among it, plain http on loopback: TLS is for who stands before it. */
export async function startMoto(): Promise<StartedMoto> {
  if (!existsSync(PROGRAM))
    return { type: 'unavailable', reason: 'moto is not installed: scripts/e2e-programs does it' }
  const [port = 0] = await freePorts(1)
  const child = spawn(PROGRAM, ['-H', '127.0.0.1', '-p', String(port)], { env: plainEnvironment(), stdio: 'ignore' })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await ended
  }
  for (const end = Date.now() + 60_000; !(await accepts(port));) {
    await delay(100)
    if (child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error('moto did not come up')
    }
  }
  return { type: 'running', port, stop }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
