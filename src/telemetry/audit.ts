import type { LogDestination, Logger } from './logger.js'
import type { Config } from '../config/types.js'
import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import { auditFile } from './audit-file.js'
import { auditLine } from './audit-line.js'

/** Where the lines of the audit log go. */
export interface AuditSink {
  /** `whenFull`: what becomes of the line where as many wait as should. */
  readonly write: (line: string, whenFull: 'keep' | 'drop') => void
  readonly state: () => AuditState
  /** Opens the file anew: it was renamed (SIGHUP, logrotate). */
  readonly reopen: () => void
  /** Resolves when every line is written, or known to be lost. */
  readonly close: () => Promise<void>
}

/** Numbers of lines since the start. */
export interface AuditState {
  readonly written: number
  readonly lost: number
  /** The last attempt to write failed. */
  readonly failing: boolean
  /** More lines wait than should. */
  readonly behind: boolean
}

export interface AuditLog {
  readonly observe: RequestObserver
  /** Why no request may be carried out now; `none` where there is no reason. */
  readonly outOfOrder: () => string | 'none'
  readonly state: () => AuditState
  readonly reopen: () => void
  readonly close: () => Promise<void>
}

const RETRY_MS = 1_000
const MOST_WAITING = 8 * 1024 * 1024

/**
 * The audit log that the configuration asks for. With `onFailure: refuse` no request is carried out while what was done
 * before cannot be written down.
 *
 * @throws StartError where its file cannot be opened
 */
export function openAuditLog(
  config: Exclude<Config['audit'], { readonly type: 'off' }>,
  world: { readonly now: () => Date; readonly log: Logger; readonly stdout: LogDestination },
): AuditLog {
  const sink =
    config.to.type === 'file'
      ? auditFile({ path: config.to.path, log: world.log, retryMs: RETRY_MS, mostWaiting: MOST_WAITING })
      : lineByLine(world.stdout)
  // What was refused here fills the memory while the disk is full, and must not push out what was carried out: of that
  // there is no more than ran when new requests began to be refused. Without refusals there is no such bound.
  const whenFull = ({ stage }: RequestEvent) =>
    config.onFailure === 'continue' || stage === 'listener' ? 'drop' : 'keep'
  return {
    observe: (event) => sink.write(auditLine(event, config.objectKeys, world.now()), whenFull(event)),
    outOfOrder: () => {
      if (config.onFailure === 'continue') return 'none'
      const { failing, behind } = sink.state()
      return failing || behind ? 'the audit log cannot be written, and audit.onFailure is refuse' : 'none'
    },
    state: sink.state,
    reopen: sink.reopen,
    close: sink.close,
  }
}

/** Between the lines of the log, which tells them by `"type":"audit"`. What becomes of stdout is not ours to see. */
function lineByLine(stdout: LogDestination): AuditSink {
  let written = 0
  return {
    write: (line) => {
      stdout.write(line)
      written += 1
    },
    state: () => ({ written, lost: 0, failing: false, behind: false }),
    reopen: () => undefined,
    close: () => Promise.resolve(),
  }
}
