import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import type { Config } from '../config/types.js'
import type { Logger } from './logger.js'
import { createHash } from 'node:crypto'

/**
 * One line for each request: `info` where it was served (or its client left), `warn` where the proxy refused it,
 * `error` where the upstream failed or did not prove encryption.
 *
 * Object keys stand there in clear, hashed or not at all. A hash is the first 16 hex digits of SHA-256 over the
 * bucket, a NUL and the object key, so that lines of all replicas and days belong together and the line of a known
 * object can be found (`printf 'bucket\0key' | sha256sum`). The other side of it: who guesses a name can check the
 * guess. Where that matters, `omitted` is the setting.
 */
export function accessLog(options: {
  readonly log: Logger
  readonly objectKeys: Config['log']['objectKeys']
}): RequestObserver {
  const { log, objectKeys } = options
  return (event) => log[levelOf(event.outcome)](fieldsOf(event, objectKeys), 'request')
}

export function objectKeyHash(bucket: string, objectKey: string): string {
  return createHash('sha256').update(`${bucket}\0${objectKey}`, 'utf8').digest('hex').slice(0, 16)
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
    ...{ requestId, listener, remoteAddress, identity, method, operation, bucket },
    ...objectKeyFields(event, objectKeys),
    ...{ status, outcome },
    ...present({ errorCode: event.errorCode, reason: event.reason }),
    ...present({ upstreamStatus: event.upstreamStatus, upstreamRequestId: event.upstreamRequestId }),
    attempts,
    ...present({ keyring: event.keyring, keyVersion: event.keyVersion }),
    ...{ bytesIn, bytesOut },
    ...{ keyMs: ms(event.keyMs), firstByteMs: ms(event.firstByteMs), totalMs: ms(event.totalMs) },
  }
}

function objectKeyFields({ bucket, objectKey }: RequestEvent, how: Config['log']['objectKeys']) {
  if (how === 'omitted' || objectKey === 'none') return {}
  return how === 'clear' ? { objectKey } : { objectKeyHash: objectKeyHash(bucket, objectKey) }
}

const present = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'none'))

/** Microseconds are enough. */
const ms = (value: number) => Math.round(value * 1000) / 1000
