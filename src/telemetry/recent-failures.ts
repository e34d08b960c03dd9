import { type ObjectKeyMode, clearKey, hashedKey } from './object-name.js'
import type { RequestEvent } from '../proxy/event.js'

/** A request that did not go well, as the status page shows it: what the log has of it, in short. */
export interface RecentFailure {
  /** UTC, ISO 8601 */
  readonly time: string
  readonly requestId: string
  readonly clientAddress: string
  readonly identity?: string
  readonly operation: string
  readonly bucket?: string
  readonly objectKey?: string
  readonly objectKeyHash?: string
  readonly status: number
  readonly outcome: string
  readonly stage: string
  readonly errorCode?: string
  readonly reason?: string
}

const MOST = 20

/** The last requests that were refused or failed, newest last; in memory only. */
export function recentFailures(now: () => Date): {
  readonly note: (event: RequestEvent, objectKeys: ObjectKeyMode) => void
  readonly list: () => readonly RecentFailure[]
} {
  const kept: RecentFailure[] = []
  return {
    note: (event, objectKeys) => {
      if (event.outcome === 'complete' || event.outcome === 'client-gone') return
      kept.push(failureOf(event, objectKeys, now()))
      if (kept.length > MOST) kept.shift()
    },
    list: () => kept,
  }
}

function failureOf(event: RequestEvent, objectKeys: ObjectKeyMode, now: Date): RecentFailure {
  const { requestId, operation, bucket, objectKey, status, outcome, stage } = event
  return {
    time: now.toISOString(),
    ...{ requestId, clientAddress: event.remoteAddress, operation, status, outcome, stage },
    ...present('identity', event.identity),
    ...present('bucket', bucket),
    ...present('objectKey', clearKey(objectKey, objectKeys) ?? 'none'),
    ...present('objectKeyHash', hashedKey(bucket, objectKey, objectKeys) ?? 'none'),
    ...present('errorCode', event.errorCode),
    ...present('reason', event.reason),
  }
}

const present = <N extends string>(name: N, value: string): { readonly [K in N]?: string } =>
  value === 'none' ? {} : ({ [name]: value } as { readonly [K in N]?: string })

/** Of several processes the newest, newest first. */
export const newestFirst = (lists: readonly (readonly RecentFailure[])[]): readonly RecentFailure[] =>
  lists
    .flat()
    .toSorted((a, b) => (a.time < b.time ? 1 : -1))
    .slice(0, MOST)
