import type { KeyObject } from 'node:crypto'
import type { DataKey, Keyring, ObjectScope } from './port.js'
import type { KeyVersion } from './keyring-file.js'

/**
 * A keyring of key versions in memory.
 *
 * @param prepare what is computed once for each version: it gives the function from an object to its data key
 */
export function versionedKeyring(
  name: string,
  type: 'derived' | 'fixed',
  versions: readonly KeyVersion[],
  prepare: (key: KeyObject) => (scope: ObjectScope) => KeyObject,
): Keyring {
  const active = versions.find(({ state }) => state === 'active')
  if (active === undefined) throw new TypeError('a keyring has no active key version')
  const ready = new Map(versions.map(({ id, key }) => [id, prepare(key)]))
  const order = readingOrder(versions)
  const forVersion = (scope: ObjectScope, keyVersion: string): DataKey | 'unknown' => {
    const keyFor = ready.get(keyVersion)
    return keyFor === undefined ? 'unknown' : { keyring: name, keyVersion, key: keyFor(scope) }
  }
  return {
    name,
    type,
    keyVersions: order,
    forWrite: (scope) => forVersion(scope, active.id) as DataKey,
    candidates: () => order,
    forVersion,
  }
}

/** The active one, then newest to oldest; of two made at the same time the one that is later in the file. */
function readingOrder(versions: readonly KeyVersion[]): readonly string[] {
  const rank = ({ state, created }: KeyVersion) => (state === 'active' ? Infinity : Date.parse(created))
  return versions
    .toReversed()
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
    .map(({ id }) => id)
}
