import { S3Error } from '../s3/error.js'
import { checkValue } from './check-value.js'
import type { ObjectEntry } from './keyring-file.js'
import type { Keyring, ObjectScope } from './port.js'

/** An entry and the id that its key goes by: the check value, the same on every replica and in every upload id. */
interface Known extends ObjectEntry {
  readonly keyVersion: string
}

/**
 * Keys of single objects, for what was encrypted elsewhere. Entries are found by the bucket identity and the object
 * key; one without a version id stands for every version without an entry of its own, and is what writes use.
 */
export function objectsKeyring(name: string, entries: readonly ObjectEntry[]): Keyring {
  const byObject = new Map<string, Known[]>()
  for (const entry of entries) {
    const known = byObject.get(nameOf(entry.bucket, entry.objectKey)) ?? []
    byObject.set(nameOf(entry.bucket, entry.objectKey), known)
    known.push({ ...entry, keyVersion: checkValue(entry.key) })
  }
  const entriesOf = (scope: ObjectScope) => byObject.get(nameOf(scope.bucketIdentity, scope.objectKey)) ?? []
  const dataKey = ({ keyVersion, key }: Known) => ({ keyring: name, keyVersion, key })
  return {
    name,
    type: 'objects',
    keyVersions: () => [],
    forWrite: (scope) => {
      const entry = entriesOf(scope).find(({ version }) => version.type === 'any')
      if (entry !== undefined) return dataKey(entry)
      throw new S3Error('AccessDenied', {
        message:
          'Access Denied. The keyring of this bucket holds keys of single objects and none to write this one with.',
        cause: `keyring ${name} has no entry without versionId for this object`,
      })
    },
    candidates: (scope) => [...new Set(fitting(entriesOf(scope), scope).map(({ keyVersion }) => keyVersion))],
    forVersion: (scope, keyVersion) => {
      const entry = entriesOf(scope).find((one) => one.keyVersion === keyVersion)
      return entry === undefined ? 'unknown' : dataKey(entry)
    },
  }
}

/** A bucket's name has no slash, so no two objects share this text. */
const nameOf = (bucket: string, objectKey: string) => `${bucket}/${objectKey}`

/** Of a named version its own entry; of the latest, which may be any, all: the general one first, then last to first. */
function fitting(entries: readonly Known[], scope: ObjectScope): readonly Known[] {
  const general = entries.filter(({ version }) => version.type === 'any')
  const { version } = scope
  if (version.type === 'latest') return [...general, ...entries.toReversed()]
  const own = entries.filter((entry) => entry.version.type === 'id' && entry.version.versionId === version.versionId)
  return own.length > 0 ? own : general
}
