import { closeSync, fstatSync, openSync, write } from 'node:fs'
import { StartError, faultOf } from '../server/start-error.js'
import type { AuditSink } from './audit.js'
import type { Logger } from './logger.js'

export interface AuditFileOptions {
  readonly path: string
  readonly log: Logger
  /** Between attempts while the file cannot be written. */
  readonly retryMs: number
  /** Lines that wait are kept up to here, in characters; further ones that may be lost are, and are counted. */
  readonly mostWaiting: number
}

/**
 * A file that is only ever appended to, line by line: lines that wait go out together in one write(2), and lines of
 * several processes do not mix. What could not be written is kept and tried again, the file opened anew each time, and
 * begins a line of its own: the file may end in the part of a line that fitted onto the disk.
 *
 * @throws StartError where the file cannot be opened
 */
export function auditFile({ path, log, retryMs, mostWaiting }: AuditFileOptions): AuditSink {
  let fd: number | 'none' = openToAppend(path)
  warnOfMode(fd, path, log)
  let waiting: string[] = []
  let waitingSize = 0
  let writing = false
  let torn = false
  let reopen = false
  let lost = 0
  let written = 0
  let failing = false
  let retry: NodeJS.Timeout | undefined
  let closing: (() => void) | undefined

  const failed = (cause: unknown) => {
    if (!failing) log.error({ file: path, reason: faultOf(cause) }, 'the audit log cannot be written')
    failing = true
    if (closing !== undefined) {
      lost += waiting.length
      end()
      return
    }
    retry ??= setTimeout(() => {
      retry = undefined
      reopen = true
      advance()
    }, retryMs)
  }
  const end = () => {
    if (lost > 0) log.error({ file: path, lines: lost }, 'lines of the audit log were lost')
    if (fd !== 'none') closeSync(fd)
    fd = 'none'
    closing?.()
  }
  /** Opens the file anew where that was asked for, then writes what waits. One thing at a time. */
  const advance = () => {
    if (writing || retry !== undefined) return
    if (reopen) {
      try {
        const next = openToAppend(path)
        if (fd !== 'none') {
          torn &&= sameFile(fd, next)
          closeSync(fd)
        }
        fd = next
        reopen = false
      } catch (cause) {
        failed(cause)
        return
      }
    }
    if (fd === 'none') return
    if (waiting.length > 0) writeOut(fd)
    else if (closing !== undefined) end()
  }
  const writeOut = (to: number) => {
    const lines = waiting
    waiting = []
    waitingSize = 0
    writing = true
    const bytes = Buffer.from(`${torn ? '\n' : ''}${lines.join('')}`, 'utf8')
    const lead = torn ? 1 : 0
    appendAll(to, bytes, 0, (cause, done) => {
      writing = false
      if (cause === 'none') {
        torn = false
        written += lines.length
        if (failing) log.warn({ file: path, lost }, 'the audit log is written again')
        failing = false
      } else {
        const whole = wholeLines(lines, done - lead)
        written += whole
        // Of this process or of another one, whose line would be spoilt by the next.
        torn = true
        waiting = [...lines.slice(whole), ...waiting]
        waitingSize = waiting.reduce((sum, line) => sum + line.length, 0)
        failed(cause)
      }
      advance()
    })
  }
  return {
    write: (line, whenFull) => {
      if (closing !== undefined || (whenFull === 'drop' && waitingSize + line.length > mostWaiting)) {
        lost += 1
        return
      }
      waiting.push(line)
      waitingSize += line.length
      advance()
    },
    state: () => ({ written, lost, failing, behind: waitingSize > mostWaiting / 2 }),
    reopen: () => {
      reopen = true
      advance()
    },
    close: () =>
      new Promise((resolve) => {
        closing = resolve
        clearTimeout(retry)
        retry = undefined
        advance()
      }),
  }
}

function openToAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (cause) {
    throw new StartError(`audit.file ${path}: ${faultOf(cause)}`, cause)
  }
}

function sameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)]
  return a.dev === b.dev && a.ino === b.ino
}

function warnOfMode(fd: number, path: string, log: Logger): void {
  const mode = fstatSync(fd).mode & 0o777
  if ((mode & 0o007) === 0) return
  log.warn({ file: path, mode: `0${mode.toString(8)}` }, 'the audit log is open to others; chmod 640 closes it')
}

/** `done`: how many bytes got out. */
function appendAll(fd: number, bytes: Buffer, from: number, over: (cause: unknown, done: number) => void): void {
  write(fd, bytes, from, bytes.length - from, null, (cause, count) => {
    if (cause !== null) over(cause, from)
    else if (from + count < bytes.length) appendAll(fd, bytes, from + count, over)
    else over('none', bytes.length)
  })
}

/** How many of the lines are within the first `bytes`. */
function wholeLines(lines: readonly string[], bytes: number): number {
  let rest = bytes
  let whole = 0
  for (const line of lines) {
    rest -= Buffer.byteLength(line)
    if (rest < 0) break
    whole += 1
  }
  return whole
}
