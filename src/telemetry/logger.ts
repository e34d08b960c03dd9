import type { Config } from '../config/types.js'
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
}

/** Where lines go. Called once a line, newline included. */
export interface LogDestination {
  write(line: string): void
}

/** Standard output, written to synchronously, so that no line is lost when the process ends. */
export const standardOutput = (): LogDestination => pino.destination({ fd: 1, sync: true })

/**
 * JSON lines with level, ISO 8601 time, pid and message. Secrets are taken out by name once more (redact.ts), errors
 * are logged under `err`.
 */
export function createLogger(options: {
  readonly level: Config['log']['level']
  readonly destination: LogDestination
}): RootLogger {
  const logger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactEntries(Object.entries(fields)),
      },
      // redact() has made plain objects of errors; pino would make errors of them again.
      serializers: { err: (value: unknown) => value },
    },
    options.destination,
  )
  return {
    ...wrap(logger),
    setLevel: (level) => {
      logger.level = level
    },
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
