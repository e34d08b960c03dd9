import type { Grants } from './access-control.js'
import type { Kept } from './kept.js'

/** What the command does: move to the active key version, or encrypt what has no customer key yet. */
export type RekeyCommand = 'rekey' | 'encrypt'

export const SKIPS = {
  gone: 'deleted meanwhile',
  plain: 'not encrypted; `encrypt` does that',
  'plain-rule': 'their rule says `keyring: none`',
  'no-rule': 'no rule covers them, so the proxy refuses them',
  archived: 'in an archive; S3 copies them only after a restore',
  'client-key': 'under a key that the client keeps (`clientKeys: relay`)',
  probe: 'left behind by an interrupted run of this command; delete them',
} as const
export type Skip = keyof typeof SKIPS

/** What became of one object. Every listed object has exactly one. */
export type Outcome =
  /** Copied onto itself and looked at again; in a dry run, what would be. */
  | { readonly type: 'moved'; readonly bytes: number }
  /** `rekey`: under the active key version; `encrypt`: under any key of its rule. */
  | { readonly type: 'already' }
  /** A client wrote or deleted it while it was to be copied; what the client did stands. */
  | { readonly type: 'changed' }
  | { readonly type: 'skipped'; readonly why: Skip }
  /** `stop`: going on would do harm, or no good. */
  | {
      readonly type: 'failed'
      readonly reason: string
      readonly stop: boolean
      readonly copy: LossyCopy | 'none'
    }

/** A copy that is under its new key and lacks something that its source had: a person has to look at it. */
export interface LossyCopy {
  /** of the copy */
  readonly etag: string
  /** By name, what the source had; `''` where it had none of it and the copy does. */
  readonly was: Kept
  /** Where its ACL differs too, what it should be. */
  readonly grants: Grants | 'usual'
}

export type Failure = Extract<Outcome, { readonly type: 'failed' }>

export const failed = (reason: string): Failure => ({ type: 'failed', reason, stop: false, copy: 'none' })

export interface Counts {
  listed: number
  moved: number
  already: number
  changed: number
  failed: number
  /** of the moved */
  bytes: number
  readonly skipped: Record<Skip, number>
}

export function noCounts(): Counts {
  const skipped = Object.fromEntries(Object.keys(SKIPS).map((why) => [why, 0])) as Record<Skip, number>
  return { listed: 0, moved: 0, already: 0, changed: 0, failed: 0, bytes: 0, skipped }
}

export function count(counts: Counts, outcome: Outcome): void {
  if (outcome.type === 'skipped') counts.skipped[outcome.why] += 1
  else counts[outcome.type] += 1
  if (outcome.type === 'moved') counts.bytes += outcome.bytes
}

export const skippedIn = ({ skipped }: Counts): number => Object.values(skipped).reduce((sum, one) => sum + one, 0)
