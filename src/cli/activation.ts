import { parseDuration } from '../config/duration.js'
import { parseInstant } from '../keyring/instant.js'
import type { Activation } from '../keyring/succession.js'

export interface ActivationOptions {
  readonly activateIn?: string
  readonly activateAt?: string
}

export const ACTIVATE_IN = 'active only after this time, say 10m (at most 24h), so that every replica knows it first'
export const ACTIVATE_AT = 'the same with an instant in UTC, say 2026-11-23T20:00:00Z'

/** When a key version is to be active, by the options; or one line on what is wrong with them. */
export function activationOf({ activateIn, activateAt }: ActivationOptions, now: Date): Activation | string {
  if (activateIn !== undefined && activateAt !== undefined) return '--activate-in and --activate-at are one too many'
  if (activateIn !== undefined) {
    const ms = parseDuration(activateIn)
    if (ms === 'invalid') return '--activate-in is not a time like 30s, 10m or 24h, which is the longest'
    return { type: 'at', instant: new Date(now.getTime() + ms) }
  }
  if (activateAt === undefined) return { type: 'now' }
  const instant = parseInstant(activateAt)
  if (instant === undefined) return '--activate-at is not an instant in UTC like 2026-11-23T20:00:00Z'
  if (instant <= now) return '--activate-at is in the past; leave it out to make the key version active now'
  return { type: 'at', instant }
}
