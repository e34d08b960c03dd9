import type { Problem } from '../config/problem.js'
import { checkValue } from './check-value.js'
import { checkOf, type KeyringContents, type ObjectEntry } from './keyring-file.js'

/**
 * What keeps a changed keyring file from taking the place of the one in use: a key version that is gone without a
 * tombstone, or whose id now stands for another key. Objects and uploads need what they were made with, and a file that
 * lost it is more often a restored old one than a wish. Keys may be added, states may change.
 */
export function successionProblems(inUse: KeyringContents, next: KeyringContents): readonly Problem[] {
  if (inUse.name !== next.name || inUse.type !== next.type) {
    return [{ path: 'name', message: 'or type is not that of the keyring in use' }]
  }
  const before = inUse.type === 'objects' ? entriesOf(inUse.objects) : versionsOf(inUse)
  const after = next.type === 'objects' ? entriesOf(next.objects) : versionsOf(next)
  const hint =
    inUse.type === 'objects'
      ? 'a restart takes the file as it is'
      : '`keys retire` takes a key version out; otherwise put back a file that has it'
  return [...before].flatMap(([name, check]): readonly Problem[] => {
    const now = after.get(name)
    if (now === check) return []
    return now === undefined
      ? [{ path: name, message: `is in use and not in the file any more (${hint})` }]
      : [{ path: name, message: `is another key in the file: check value ${now} instead of ${check}` }]
  })
}

type Versioned = Exclude<KeyringContents, { type: 'objects' }>

/** Tombstones too: one that goes would let its id come back as another key. */
const versionsOf = ({ versions, retired }: Versioned): ReadonlyMap<string, string> =>
  new Map([
    ...versions.map((version) => [`key version ${version.id}`, checkOf(version)] as const),
    ...retired.map(({ id, check }) => [`key version ${id}`, check] as const),
  ])

const entriesOf = (entries: readonly ObjectEntry[]): ReadonlyMap<string, string> =>
  new Map(
    entries.map(({ bucket, objectKey, version, key }) => [
      `the key of ${JSON.stringify([bucket, objectKey, version.type === 'id' ? version.versionId : 'any version'])}`,
      checkValue(key),
    ]),
  )
