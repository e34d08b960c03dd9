import type { Config } from '../config/types.js'
import { gatherLines } from './gathered-lines.js'
import { isoTimes } from './iso-time.js'
import { pino } from 'pino'
import { redact, redactEntries } from './redact.js'

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

export interface Logger {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** A logger that adds `fields` to each of its lines. */
  child(fields: Readonly<Record<string, unknown>>): Logger
}

/** The logger of a process. Its level can change; children keep the level that they were made with. */
export interface RootLogger extends Logger {
  readonly setLevel: (level: Config['log']['level']) => void
  /** Whether lines of that level are written now. */
  readonly shows: (level: RequestLevel) => boolean
  /** What each line begins with, for a caller that makes its own: level, time and pid, an object's JSON without its end. */
  readonly stamp: (level: RequestLevel) => string
  /**
   * Writes a line that the caller made: an object's JSON with the stamp first, in which nothing is redacted here. For the
   * access log, whose fields are known; an `info` line may wait for the end of this turn of the event loop.
   *
   * @param bytes of UTF-8 that the line is
   */
  readonly writeLine: (level: RequestLevel, json: string, bytes: number) => void
}

export type RequestLevel = 'info' | 'warn' | 'error'

/** Where lines go. Called once a line, newline included. */
export interface LogDestination {
  /** The line is with the system, behind all before it, when this returns. */
  write(line: string): void
  /**
   * A line, without its newline, that may wait for the end of this turn of the event loop. Where this is not, none waits.
   *
   * @param bytes of UTF-8, without the newline
   */
  gather?(text: string, bytes: number): void
}

/** Standard output. No line is lost when the process ends, unless it is killed: then what was gathered in this turn. */
export const standardOutput = (): LogDestination => gatherLines(pino.destination({ fd: 1, sync: true }))

/**
 * JSON lines with level, ISO 8601 time, pid and message. Secrets are taken out by name once more (redact.ts), errors
 * are logged under `err`.
 */
export function createLogger(options: {
  readonly level: Config['log']['level']
  readonly destination: LogDestination
}): RootLogger {
  const { destination } = options
  const isoTime = isoTimes()
  const logger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: () => `,"time":"${isoTime(Date.now())}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactEntries(Object.entries(fields)),
      },
      // redact() has made plain objects of errors; pino would make errors of them again.
      serializers: { err: (value: unknown) => value },
    },
    destination,
  )
  return {
    ...wrap(logger),
    setLevel: (level) => {
      logger.level = level
    },
    shows: (level) => logger.isLevelEnabled(level),
    stamp: stamps(isoTime),
    writeLine: (level, json, bytes) => {
      if (level === 'info' && destination.gather !== undefined) destination.gather(json, bytes)
      else destination.write(`${json}\n`)
    },
  }
}

/** The beginning of a line is kept while level and time are the same, because lines come many to the millisecond. */
function stamps(isoTime: (ms: number) => string): (level: RequestLevel) => string {
  const { pid } = process
  let of: RequestLevel | 'none' = 'none'
  let at = ''
  let stamp = ''
  return (level) => {
    const time = isoTime(Date.now())
    if (level === of && time === at) return stamp
    of = level
    at = time
    stamp = `{"level":"${level}","time":"${time}","pid":${pid}`
    return stamp
  }
}

function wrap(logger: pino.Logger): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Write =>
    (fields, message) =>
      logger[level](fields, String(redact(message)))
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    // Pino's formatter for these is not called for children.
    child: (fields) => wrap(logger.child(redactEntries(Object.entries(fields)))),
  }
}
