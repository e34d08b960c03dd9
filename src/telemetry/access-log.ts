import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import { type ObjectKeyMode, clearKey, given, hashedKey } from './object-name.js'
import { mayHoldSecret, redact } from './redact.js'
import type { RootLogger, Stamp } from './logger.js'

/**
 * One line for each request: `info` where it was served (or its client left), `warn` where the proxy refused it,
 * `error` where the upstream failed or did not prove encryption.
 */
export function accessLog(options: {
  readonly log: Pick<RootLogger, 'shows' | 'stamp' | 'writeLine'>
  readonly objectKeys: ObjectKeyMode
}): RequestObserver {
  const { log, objectKeys } = options
  return (event) => {
    const level = levelOf(event.outcome)
    if (log.shows(level)) log.writeLine(level, lineOf(log.stamp(level), event, objectKeys))
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

/**
 * The line as JSON; what is undefined is left out. Their names are fixed and none is a secret's, so that only texts
 * that a client or the upstream chose need a look.
 */
function lineOf(stamp: Stamp, event: RequestEvent, mode: ObjectKeyMode): string {
  const { bucket, objectKey } = event
  const line = JSON.stringify({
    level: stamp.level,
    time: stamp.time,
    pid: stamp.pid,
    requestId: event.requestId,
    listener: event.listener,
    remoteAddress: event.remoteAddress,
    identity: event.identity,
    // A name that redaction does not take for a signature itself.
    signedWith: given(event.signature),
    method: event.method,
    operation: event.operation,
    bucket,
    traceId: event.trace === 'none' ? undefined : event.trace.traceId,
    objectKey: clearKey(objectKey, mode),
    objectKeyHash: hashedKey(bucket, objectKey, mode),
    status: event.status,
    outcome: event.outcome,
    errorCode: given(event.errorCode),
    reason: given(event.reason),
    upstreamStatus: given(event.upstreamStatus),
    upstreamRequestId: given(event.upstreamRequestId),
    attempts: event.attempts,
    keyring: given(event.keyring),
    keyVersion: given(event.keyVersion),
    bytesIn: event.bytesIn,
    bytesOut: event.bytesOut,
    keyMs: ms(event.keyMs),
    firstByteMs: ms(event.firstByteMs),
    totalMs: ms(event.totalMs),
    msg: 'request',
  })
  return mayHoldSecret(line) ? JSON.stringify(redact(JSON.parse(line))) : line
}

/** Microseconds are enough. */
const ms = (value: number) => Math.round(value * 1000) / 1000
