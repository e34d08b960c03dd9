import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ProcessMarks } from './run-lock.js'

/** Processes as this machine knows them. @see proc(5) */
export function processMarks(): ProcessMarks {
  return {
    own: {
      pid: process.pid,
      started: startOf(process.pid),
      boot: orUnknown(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
      pidSpace: orUnknown(() => readlinkSync('/proc/self/ns/pid')),
      host: hostname(),
    },
    startOf,
  }
}

function startOf(pid: number): string {
  if (!isAlive(pid)) return 'gone'
  // The second field, a name in parentheses, may hold anything; the 22nd is the start in ticks since the machine's.
  return orUnknown(() => {
    const [, rest = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return rest.split(' ')[19] ?? 'unknown'
  })
}

function orUnknown(read: () => string): string {
  try {
    return read()
  } catch {
    return 'unknown'
  }
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
