import type { KeyObject } from 'node:crypto'
import type { CustomerKey } from '../s3/customer-key.js'
import type { DataKey, Keyring, ObjectScope, Soon } from './port.js'
import type { PlainVersion, VersionHead } from './keyring-file.js'
import { whenKnown } from './soon.js'
import { activeAt } from './succession.js'

/** From an object to its data key, under one key version. */
export type DataKeyOf = (scope: ObjectScope) => CustomerKey

/** What is computed once for a key: whatever is the same for every object. */
export type Prepare = (key: KeyObject) => DataKeyOf

/**
 * A keyring of key versions.
 *
 * @param now decides at each use whether a pending key version is active
 * @param dataKey gives the data key of an object under one of these versions; may wait, and refuse with S3Error
 */
export function versionedKeyring(
  name: string,
  type: Exclude<Keyring['type'], 'objects'>,
  versions: readonly VersionHead[],
  now: () => Date,
  dataKey: (id: string, scope: ObjectScope) => Soon<CustomerKey>,
): Keyring {
  const orders = new Map(versions.map((active) => [active.id, readingOrder(versions, active)]))
  // A keyring without an active version is a mistake here and now, not at the first write.
  const first = activeAt(versions, now()).id
  const stays = versions.every(({ state }) => state !== 'pending')
  const active = () => (stays ? first : activeAt(versions, now()).id)
  const order = () => orders.get(active()) ?? []
  const keyOf = (scope: ObjectScope, keyVersion: string): Soon<DataKey> =>
    whenKnown(dataKey(keyVersion, scope), (key) => ({ keyring: name, keyVersion, key }))
  return {
    name,
    type,
    keyVersions: order,
    forWrite: (scope) => keyOf(scope, active()),
    candidates: order,
    forVersion: (scope, keyVersion) => (orders.has(keyVersion) ? keyOf(scope, keyVersion) : 'unknown'),
  }
}

/** A keyring whose keys are all in memory for good. */
export function plainKeyring(
  name: string,
  type: 'derived' | 'fixed',
  versions: readonly PlainVersion[],
  now: () => Date,
  prepare: Prepare,
): Keyring {
  const ready = new Map(versions.map(({ id, key }) => [id, prepare(key)]))
  return versionedKeyring(name, type, versions, now, (id, scope) => (ready.get(id) as DataKeyOf)(scope))
}

/**
 * The active one, then newest to oldest; of two made at the same time the one that is later in the file. One that is
 * yet to be active comes last: only a replica whose clock is fast can have written with it.
 */
function readingOrder(versions: readonly VersionHead[], active: VersionHead): readonly string[] {
  const rank = (one: VersionHead) => {
    if (one === active) return Infinity
    return one.state === 'pending' ? -Infinity : Date.parse(one.created)
  }
  return versions
    .toReversed()
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
    .map(({ id }) => id)
}
