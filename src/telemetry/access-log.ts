import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import type { ObjectKeyMode } from './object-name.js'
import type { RootLogger } from './logger.js'
import { accessLines } from './access-line.js'

/**
 * One line for each request: `info` where it was served (or its client left), `warn` where the proxy refused it,
 * `error` where the upstream failed or did not prove encryption.
 */
export function accessLog(options: {
  readonly log: Pick<RootLogger, 'shows' | 'stamp' | 'writeLine'>
  readonly objectKeys: ObjectKeyMode
}): RequestObserver {
  const { log } = options
  const writeLine = accessLines(options.objectKeys, log.writeLine)
  return (event) => {
    const level = levelOf(event.outcome)
    if (log.shows(level)) writeLine(level, log.stamp(level), event)
  }
}

function levelOf(outcome: RequestEvent['outcome']): 'info' | 'warn' | 'error' {
  switch (outcome) {
    case 'complete':
    case 'client-gone':
      return 'info'
    case 'refused':
      return 'warn'
    case 'upstream-failed':
    case 'encryption-unproven':
      return 'error'
  }
}
