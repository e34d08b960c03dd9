import { type ObjectKeyMode, objectKeyFields } from './object-name.js'
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
export function recentFailures(): {
  readonly note: (event: RequestEvent, objectKeys: ObjectKeyMode, now: Date) => void
  readonly list: () => readonly RecentFailure[]
} {
  const kept: RecentFailure[] = []
  return {
    note: (event, objectKeys, now) => {
      if (event.outcome === 'complete' || event.outcome === 'client-gone') return
      const { requestId, operation, status, outcome, stage } = event
      kept.push({
        time: now.toISOString(),
        ...{ requestId, clientAddress: event.remoteAddress, operation, status, outcome, stage },
        ...given('identity', event.identity),
        ...given('bucket', event.bucket),
        ...objectKeyFields(event.bucket, event.objectKey, objectKeys),
        ...given('errorCode', event.errorCode),
        ...given('reason', event.reason),
      })
      if (kept.length > MOST) kept.shift()
    },
    list: () => kept,
  }
}

const given = <N extends string>(name: N, value: string): { readonly [K in N]?: string } =>
  value === 'none' ? {} : ({ [name]: value } as { readonly [K in N]?: string })

/** Of several processes the newest, newest first. */
export const newestFirst = (lists: readonly (readonly RecentFailure[])[]): readonly RecentFailure[] =>
  lists
    .flat()
    .toSorted((a, b) => (a.time < b.time ? 1 : -1))
    .slice(0, MOST)
