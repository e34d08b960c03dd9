import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

export type Locked =
  { readonly type: 'locked'; readonly release: () => void } | { readonly type: 'held'; readonly reason: string }

/**
 * What tells one process from all others. A pid alone does not: a container's first process has the same one each time,
 * and after a restart of the machine another program has it.
 */
export interface ProcessMark {
  readonly pid: number
  /** When it was started, as `/proc` has it; `unknown` where there is no `/proc`. */
  readonly started: string
  /** The machine's run, and the space in which `pid` counts; `unknown` likewise. */
  readonly boot: string
  readonly pidSpace: string
  readonly host: string
}

/** What a lock needs to know of processes: see process-marks.ts. */
export interface ProcessMarks {
  readonly own: ProcessMark
  /** When the process that now has this pid was started; `gone` where none has it. */
  readonly startOf: (pid: number) => string
}

/**
 * Keeps a second run off a file, with a lock file beside it that says which process made it. One whose process is
 * certainly gone (killed, or before a restart of the machine) is taken over; where that cannot be known, it is held.
 */
export function lockFile(file: string, marks: ProcessMarks): Locked {
  const lock = `${file}.lock`
  const own = JSON.stringify(marks.own)
  try {
    if (made(lock, own)) return locked(lock, own)
    const found = readFileSync(lock, 'utf8')
    const holder = markOf(found)
    const fate = holder === 'none' ? 'unknown' : fateOf(holder, marks)
    if (fate === 'gone' && removed(lock, found, marks.own.pid) && made(lock, own)) return locked(lock, own)
    return held(
      lock,
      fate === 'unknown' ? 'may be used by a run on another machine or in another container' : 'is used',
    )
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    // Another run let go of it between two looks.
    if (error.code === 'ENOENT' && 'path' in error && error.path === lock) return held(lock, 'was just used')
    return { type: 'held', reason: `${lock}: cannot be made (${String(error.code)})` }
  }
}

const held = (lock: string, what: string): Locked => ({
  type: 'held',
  reason: `${lock}: this journal ${what} by another run; if that one is gone, remove this file`,
})

const locked = (lock: string, own: string): Locked => ({
  type: 'locked',
  release: () => {
    if (existsSync(lock) && readFileSync(lock, 'utf8') === own) rmSync(lock, { force: true })
  },
})

/** Whole or not at all: a process that is killed here leaves no lock that says nothing. @returns whether it was free */
function made(lock: string, text: string): boolean {
  const draft = `${lock}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Two that find a dead lock must not remove each other's new one: what was moved away is looked at once more. */
function removed(lock: string, text: string, pid: number): boolean {
  const aside = `${lock}.${pid}.old`
  renameSync(lock, aside)
  const isSame = readFileSync(aside, 'utf8') === text
  if (!isSame) linkSync(aside, lock)
  rmSync(aside, { force: true })
  return isSame
}

function fateOf(holder: ProcessMark, { own, startOf }: ProcessMarks): 'gone' | 'runs' | 'unknown' {
  // Where there is no /proc, all machines look alike but for their names.
  if (holder.boot === 'unknown' && holder.host !== own.host) return 'unknown'
  if (holder.boot !== own.boot) return holder.host === own.host ? 'gone' : 'unknown'
  if (holder.pidSpace !== own.pidSpace) return 'unknown'
  return startOf(holder.pid) === holder.started ? 'runs' : 'gone'
}

function markOf(text: string): ProcessMark | 'none' {
  try {
    const { pid, started, boot, pidSpace, host } = JSON.parse(text) as Partial<Record<keyof ProcessMark, unknown>>
    return typeof pid === 'number' && [started, boot, pidSpace, host].every((one) => typeof one === 'string')
      ? (JSON.parse(text) as ProcessMark)
      : 'none'
  } catch {
    return 'none'
  }
}
