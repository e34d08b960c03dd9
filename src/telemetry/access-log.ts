import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import type { Config } from '../config/types.js'
import type { Logger } from './logger.js'
import { objectKeyFields } from './object-name.js'

/**
 * One line for each request: `info` where it was served (or its client left), `warn` where the proxy refused it,
 * `error` where the upstream failed or did not prove encryption.
 */
export function accessLog(options: {
  readonly log: Logger
  readonly objectKeys: Config['log']['objectKeys']
}): RequestObserver {
  const { log, objectKeys } = options
  return (event) => log[levelOf(event.outcome)](fieldsOf(event, objectKeys), 'request')
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

function fieldsOf(event: RequestEvent, objectKeys: Config['log']['objectKeys']): Record<string, unknown> {
  const { requestId, listener, remoteAddress, identity, method, operation, bucket, status, outcome } = event
  const { attempts, bytesIn, bytesOut } = event
  return {
    ...{ requestId, listener, remoteAddress, identity },
    // A name that redaction does not take for a signature itself.
    ...present({ signedWith: event.signature }),
    ...{ method, operation, bucket },
    ...(event.trace === 'none' ? {} : { traceId: event.trace.traceId }),
    ...objectKeyFields(bucket, event.objectKey, objectKeys),
    ...{ status, outcome },
    ...present({ errorCode: event.errorCode, reason: event.reason }),
    ...present({ upstreamStatus: event.upstreamStatus, upstreamRequestId: event.upstreamRequestId }),
    attempts,
    ...present({ keyring: event.keyring, keyVersion: event.keyVersion }),
    ...{ bytesIn, bytesOut },
    ...{ keyMs: ms(event.keyMs), firstByteMs: ms(event.firstByteMs), totalMs: ms(event.totalMs) },
  }
}

const present = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'none'))

/** Microseconds are enough. */
const ms = (value: number) => Math.round(value * 1000) / 1000
