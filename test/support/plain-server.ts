import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './free-ports.js'
import { plainEnvironment } from './run-program.js'

export type StartedServer =
  | { readonly type: 'running'; readonly port: number; readonly stop: () => Promise<void> }
  | { readonly type: 'unavailable'; readonly reason: string }

/** Starts a server of plain http on a free port; it ends with `stop`, or with this process. Rejects where it does not come up. */
export async function startPlainServer(
  program: string,
  options: (port: number) => { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
): Promise<Extract<StartedServer, { type: 'running' }>> {
  const [port = 0] = await freePorts(1)
  const { args, env } = options(port)
  const child = spawn(program, args, { env: plainEnvironment(env), stdio: 'ignore' })
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
      throw new Error(`${program.replace(/^.*\//, '')} did not come up`)
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
