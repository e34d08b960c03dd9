import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { type Seen, lookInto } from './probe.js'

/** A program that was started here and is ended here, by its pid and no other way. */
export interface Running {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
  /** Only of a process that was started with its probe. */
  readonly look: () => Promise<Seen>
}

export interface Program {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Gets stdout and stderr. */
  readonly logFile: string
  readonly port: number
}

export interface Surroundings {
  /** Beside this process' own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** `yes` for a node process with PROBE_ARGUMENTS, which can then be looked into. */
  readonly probed?: 'yes' | 'no'
}

/** Starts a program and waits until its port takes connections. @throws Error with its last lines */
export async function startProgram(program: Program, { env = {}, probed = 'no' }: Surroundings = {}): Promise<Running> {
  const log = openSync(program.logFile, 'a')
  const child = spawn(program.command, program.args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, ...(probed === 'yes' ? (['ipc'] as const) : [])],
  })
  closeSync(log)
  // It must not outlive a run that was broken off.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let over: string | undefined
  child.once('error', (cause) => (over = cause.message))
  child.once('exit', (code, signal) => (over = `it ended with ${signal ?? code}`))
  for (const end = Date.now() + 30_000; !(await takesConnections(program.port));) {
    if (over === undefined && Date.now() > end) over = 'it was not ready in 30 s'
    if (over !== undefined) {
      await stopChild(child)
      throw new Error(`${program.name}: ${over}: ${readFileSync(program.logFile, 'utf8').slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { pid: child.pid!, port: program.port, stop: () => stopChild(child), look: () => lookInto(child) }
}

/** SIGTERM, and SIGKILL after ten seconds. */
export function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** What a program prints on stdout (on stderr, where there is nothing), or why it cannot be run. */
export function outputOf(
  command: string,
  args: readonly string[],
): Promise<{ readonly type: 'said'; readonly text: string } | { readonly type: 'failed'; readonly reason: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 120_000 }, (cause, stdout, stderr) => {
      if (cause === null) resolve({ type: 'said', text: (stdout === '' ? stderr : stdout).trim() })
      else resolve({ type: 'failed', reason: cause.message.trim() })
    })
  })
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
