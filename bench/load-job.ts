import type { Piece } from './content.js'

/** One load, sent to the process that makes it. */
export interface LoadJob {
  readonly port: number
  readonly caFile: string
  readonly connections: number
  readonly requests: readonly LoadRequest[]
  /** No new request after so many milliseconds. */
  readonly forMs: number
  /** `end`: running requests end first; `cut`: the connections are closed in their middle. */
  readonly atTheEnd: 'end' | 'cut'
  /** Requests on each connection before the clock starts, and at most after it. */
  readonly warmUp: number
  readonly most: number
}

export interface LoadRequest {
  /** Everything up to and with the empty line. */
  readonly head: string
  readonly body: readonly Piece[]
}

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
