import type { KeyObject } from 'node:crypto'
import type { DataKey, Keyring, ObjectScope, Soon } from './port.js'
import type { PlainVersion, VersionHead } from './keyring-file.js'

/** From an object to its data key, under one key version. */
export type DataKeyOf = (scope: ObjectScope) => KeyObject

/** What is computed once for a key: whatever is the same for every object. */
export type Prepare = (key: KeyObject) => DataKeyOf

/**
 * A keyring of key versions.
 *
 * @param dataKey gives the data key of an object under one of these versions; may wait, and refuse with S3Error
 */
export function versionedKeyring(
  name: string,
  type: Exclude<Keyring['type'], 'objects'>,
  versions: readonly VersionHead[],
  dataKey: (id: string, scope: ObjectScope) => Soon<KeyObject>,
): Keyring {
  const active = versions.find(({ state }) => state === 'active')
  if (active === undefined) throw new TypeError('a keyring has no active key version')
  const order = readingOrder(versions)
  const known = new Set(order)
  const keyOf = (scope: ObjectScope, keyVersion: string): Soon<DataKey> => {
    const made = (key: KeyObject) => ({ keyring: name, keyVersion, key })
    const key = dataKey(keyVersion, scope)
    return key instanceof Promise ? key.then(made) : made(key)
  }
  return {
    name,
    type,
    keyVersions: order,
    forWrite: (scope) => keyOf(scope, active.id),
    candidates: () => order,
    forVersion: (scope, keyVersion) => (known.has(keyVersion) ? keyOf(scope, keyVersion) : 'unknown'),
  }
}

/** A keyring whose keys are all in memory for good. */
export function plainKeyring(
  name: string,
  type: 'derived' | 'fixed',
  versions: readonly PlainVersion[],
  prepare: Prepare,
): Keyring {
  const ready = new Map(versions.map(({ id, key }) => [id, prepare(key)]))
  return versionedKeyring(name, type, versions, (id, scope) => (ready.get(id) as DataKeyOf)(scope))
}

/** The active one, then newest to oldest; of two made at the same time the one that is later in the file. */
function readingOrder(versions: readonly VersionHead[]): readonly string[] {
  const rank = ({ state, created }: VersionHead) => (state === 'active' ? Infinity : Date.parse(created))
  return versions
    .toReversed()
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
    .map(({ id }) => id)
}
