import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { transcript } from './record.js'

export interface RunOptions {
  /** The whole environment, but for PATH and the locale: nothing of the machine's own settings leaks into a client. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** Default two minutes. */
  readonly timeoutMs?: number
  /** `no` where the output holds keys on purpose: it is not added to the record. */
  readonly recorded?: 'yes' | 'no'
}

export interface Ran {
  readonly code: number | 'killed'
  readonly stdout: Buffer
  readonly stderr: string
}

export const plainEnvironment = (env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  ...env,
})

/** Runs a program to its end. Rejects only where it does not start. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { env, cwd, input = '', timeoutMs = 120_000, recorded = 'yes' } = options
    const child = spawn(program, args, {
      env: plainEnvironment(env),
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      const ran = { code: code ?? 'killed', stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() } as const
      if (recorded === 'yes') {
        appendFileSync(transcript('programs', '/dev/null'), Buffer.concat([...out, ...err, Buffer.from('\n')]))
      }
      resolve(ran)
    })
  })
}

/** As {@link run}; rejects where the program fails, with the end of what it said. */
export async function runWell(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await run(program, args, options)
  if (ran.code === 0) return ran
  const said = `${ran.stderr}\n${ran.stdout.toString()}`.trim().slice(-1500)
  throw new Error(`${program.replace(/^.*\//, '')} exited with ${ran.code}: ${said}`)
}
