import type { Piece } from './content.js'

/** One load, sent to the process that makes it. */
export interface LoadJob {
  /** What is measured, for the message where it fails. */
  readonly name: string
  readonly port: number
  readonly scheme: 'https' | 'http'
  readonly caFile: string
  readonly connections: number
  readonly requests: readonly LoadRequest[]
  /** No new request after so many milliseconds. */
  readonly forMs: number
  /** `end`: running requests end first; `cut`: the connections are closed in their middle. */
  readonly atTheEnd: 'end' | 'cut'
  /** Requests on each connection before the clock starts (and at most ten seconds of them), and at most after it. */
  readonly warmUp: number
  readonly most: number
  readonly arrivals: Arrivals
}

/**
 * `closed`: each connection sends its next request when the last one was answered. `paced`: so many requests a second at
 * fixed times, whether answers keep up or not; a latency then counts from the time at which its request was due.
 */
export type Arrivals = { readonly type: 'closed' } | { readonly type: 'paced'; readonly perSecond: number }

export interface LoadRequest {
  /** Everything up to and with the empty line. */
  readonly head: string
  readonly body: readonly Piece[]
  /** How the answer is read; a slow reader takes {@link SLOW_BYTES_PER_SECOND}. */
  readonly reads: 'fast' | 'slow'
}

/** Of readers and of upstreams that are slow on purpose. */
export const SLOW_BYTES_PER_SECOND = 5 * 1024 * 1024

export interface LoadResult {
  readonly requests: number
  /** Bytes of bodies, both ways, of finished and unfinished requests. */
  readonly bytes: number
  readonly ms: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the process that makes the load. */
  readonly cpuSeconds: number
}

/** What that process says: first that every connection is open and warm, then how it went; or what went wrong. */
export type LoadMessage =
  | { readonly type: 'warm' }
  | { readonly type: 'result'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly reason: string }
