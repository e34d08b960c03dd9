import type { Bucket } from '../s3/names.js'
import type { Counts, RekeyCommand } from './outcome.js'

export interface RekeyOptions {
  readonly command: RekeyCommand
  readonly bucket: Bucket
  readonly prefix: string
  /** What was active under the prefix when the run began, see targets.ts. */
  readonly targets: readonly string[]
  readonly concurrency: number
  readonly dryRun: boolean
  /** Go on though the store would overwrite what clients write meanwhile. */
  readonly unguarded: boolean
  readonly acl: 'keep' | 'default'
  /** bytes */
  readonly singleCopyMax: number
  readonly partSize: number
  /** After so many failures the run stops. */
  readonly maxFailures: number
}

/** What is told while a run goes on. */
export interface Progress {
  /** How many objects there will be in all, when that is known. */
  total(objects: number): void
  done(counts: Counts): void
}

export interface RekeyWorld {
  readonly randomBytes: (size: number) => Buffer
  readonly progress: Progress
  readonly warn: (message: string) => void
  /** Whether the operator wants an end: no further object is begun. */
  readonly isStopping: () => boolean
  readonly now: () => Date
}

export interface RekeyResult {
  /** Of this run and of those that its journal tells of. */
  readonly counts: Counts
  readonly failures: ReadonlyMap<string, string>
  /** `done`: every object has been gone through. */
  readonly end: 'done' | 'interrupted' | { readonly stopped: string }
}
