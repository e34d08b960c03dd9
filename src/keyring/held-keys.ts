import { S3Error } from '../s3/error.js'
import { persist } from './attempts.js'
import { timedStore } from './cached.js'
import type { KmsFailure } from './kms-port.js'
import type { KeyringEvent, KmsWorld } from './kms-world.js'
import type { Soon } from './port.js'

export interface HoldOptions {
  readonly keyring: string
  /** How many are held at most. */
  readonly max: number
  /** How long what KMS gave is used without asking again. What KMS denies from now on works for no longer than this. */
  readonly ttlMs: number
  /** How much longer while KMS is away. */
  readonly staleMs: number
}

export type Load<V> = () => Promise<Loaded<V> | KmsFailure>
export interface Loaded<V> {
  readonly type: 'value'
  readonly value: V
}

export interface HeldKeys<V> {
  /**
   * What is held under the name, or what `load` gives; many callers at a time make one call.
   *
   * @throws S3Error AccessDenied (KMS denies), SlowDown (it throttles), ServiceUnavailable (it is away)
   */
  readonly get: (keyVersion: string, name: string, load: Load<V>) => Soon<V>
  readonly put: (name: string, value: V) => void
}

interface Entry<V> {
  readonly value: V
  readonly refreshAt: number
  readonly expires: number
}

interface Failing {
  readonly failure: KmsFailure
  readonly inARow: number
  readonly notBefore: number
}

/** Failures that are remembered; more than there are key versions, a bound for throttled objects. */
const MOST_FAILING = 10_000
/** KMS is not asked more often than this about what fails. */
const SHORTEST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** For so long after KMS throttled anything of a key version, nothing of it is asked for more than once. */
const THROTTLED_FOR_MS = 5000
const PATIENCE = { attempts: 3, forMs: 5000 }
const PROBE = { attempts: 1, forMs: 0 }

/** Keys from KMS, kept for a time. What is used is refreshed ahead of its end, while requests go on with what there is. */
export function heldKeys<V>(options: HoldOptions, world: KmsWorld): HeldKeys<V> {
  const { keyring, ttlMs, staleMs } = options
  const { monotonic, random, observe } = world
  const held = timedStore<Entry<V>>(options.max, ttlMs + staleMs, monotonic)
  const failing = timedStore<Failing>(MOST_FAILING, LONGEST_PAUSE_MS * 4, monotonic)
  const running = new Map<string, Promise<Loaded<V> | KmsFailure>>()
  /** Key versions that KMS denied when it last said anything. What is held of them is not for KMS's absence. */
  const denied = new Set<string>()
  /** When KMS throttled last, by key version. */
  const throttled = new Map<string, number>()
  const look = (result: (KeyringEvent & { type: 'look-up' })['result']) => observe({ type: 'look-up', keyring, result })

  const put = (name: string, value: V) => {
    const now = monotonic()
    // Apart from each other, so that replicas that started together do not all come at once.
    held.set(name, { value, refreshAt: now + ttlMs * (0.7 + 0.2 * random()), expires: now + ttlMs })
  }
  /** Being denied or away is a matter of the key version; being throttled, of the one look-up. */
  const placeOf = (failure: KmsFailure, keyVersion: string, name: string) =>
    failure.type === 'throttled' ? `look-up ${name}` : `version ${keyVersion}`
  const known = (keyVersion: string, name: string) =>
    failing.get(`version ${keyVersion}`) ?? failing.get(`look-up ${name}`)
  const note = (failure: KmsFailure, inARow: number, keyVersion: string, name: string) => {
    const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (inARow - 1)) * (1 + random() / 2)
    failing.set(placeOf(failure, keyVersion, name), { failure, inARow, notBefore: monotonic() + pause })
  }
  const load = async (keyVersion: string, name: string, call: Load<V>): Promise<Loaded<V> | KmsFailure> => {
    const before = known(keyVersion, name)
    // The one who asks again asks for all: until the answer, everybody else is told what is known.
    if (before !== undefined) note(before.failure, before.inARow, keyVersion, name)
    // A thousand cold objects that are throttled would ask three thousand times, at the cost of everything else in the
    // account that uses KMS: the first one is patient, the others leave that to their clients.
    const isThrottled = monotonic() - (throttled.get(keyVersion) ?? -Infinity) < THROTTLED_FOR_MS
    const noteThrottling = async () => {
      const answer = await call()
      if (answer.type === 'throttled') throttled.set(keyVersion, monotonic())
      return answer
    }
    const result = await persist(noteThrottling, before === undefined && !isThrottled ? PATIENCE : PROBE, world)
    if (result.type === 'value') {
      denied.delete(keyVersion)
      failing.delete(`version ${keyVersion}`)
      failing.delete(`look-up ${name}`)
      put(name, result.value)
    } else {
      if (result.type === 'denied') denied.add(keyVersion)
      note(result, (before?.inARow ?? 0) + 1, keyVersion, name)
      observe({ type: 'failing', keyring, keyVersion, failure: result })
    }
    return result
  }
  const once = (keyVersion: string, name: string, call: Load<V>): Promise<Loaded<V> | KmsFailure> => {
    const now = running.get(name) ?? load(keyVersion, name, call).finally(() => running.delete(name))
    running.set(name, now)
    return now
  }
  const paused = (keyVersion: string, name: string): KmsFailure | undefined => {
    const one = known(keyVersion, name)
    return one !== undefined && monotonic() < one.notBefore ? one.failure : undefined
  }
  const wait = async (keyVersion: string, name: string, call: Load<V>): Promise<V> => {
    const asked = running.get(name)
    const result = await (asked ?? paused(keyVersion, name) ?? once(keyVersion, name, call))
    if (result.type === 'value') {
      look('miss')
      return result.value
    }
    const old = denied.has(keyVersion) ? undefined : held.get(name)
    if (old === undefined) throw refusal(result, keyring, keyVersion)
    look('stale')
    return old.value
  }
  return {
    put,
    get: (keyVersion, name, call) => {
      const entry = held.get(name)
      const now = monotonic()
      if (entry === undefined || now >= entry.expires) return wait(keyVersion, name, call)
      const due = now >= entry.refreshAt && !running.has(name) && paused(keyVersion, name) === undefined
      // Nobody waits for it, so nobody would hear of a fault of ours: whoever asks after the entry's end does.
      if (due) once(keyVersion, name, call).catch(() => undefined)
      look('hit')
      return entry.value
    },
  }
}

/** What the client gets; the reason is for the log. */
function refusal({ type, reason }: KmsFailure, keyring: string, keyVersion: string): S3Error {
  const cause = `KMS ${type === 'denied' ? 'denies' : type === 'away' ? 'is away for' : 'throttles'} key version ${keyVersion} of keyring ${keyring}: ${reason}`
  switch (type) {
    case 'denied':
      return new S3Error('AccessDenied', { cause })
    case 'throttled':
      return new S3Error('SlowDown', { cause })
    case 'away':
      return new S3Error('ServiceUnavailable', { cause })
  }
}
