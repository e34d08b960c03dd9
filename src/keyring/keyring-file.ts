import type { KeyObject } from 'node:crypto'
import type { Bucket, ObjectKey, VersionId } from '../s3/names.js'
import { checkValue } from './check-value.js'

export const KEYRING_FORMAT = 'ssec-proxy-keyring/1'

/**
 * Whether a text may be the id of a key version or the name of a keyring: they travel in upload ids, logs and metrics.
 * `none` and `plain` are what a log says where no key version was used.
 */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text) && text !== 'none' && text !== 'plain'
}

/** One key of a keyring. The active one encrypts; the others only read what they encrypted before. */
export interface KeyVersion {
  readonly id: string
  readonly state: 'active' | 'readable'
  /** UTC, ISO 8601 */
  readonly created: string
  readonly key: KeyObject
}

/** The key of one object, or of one version of it. */
export interface ObjectEntry {
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  /** `any` also stands for the versions that are yet to be written. */
  readonly version: { readonly type: 'any' } | { readonly type: 'id'; readonly versionId: VersionId }
  readonly key: KeyObject
}

/** A keyring file that was read and found whole (docs/keys.md describes the format). */
export type KeyringContents =
  | { readonly type: 'derived' | 'fixed'; readonly name: string; readonly versions: readonly KeyVersion[] }
  | { readonly type: 'objects'; readonly name: string; readonly objects: readonly ObjectEntry[] }

export type VersionedContents = Extract<KeyringContents, { versions: unknown }>

/** The text of a keyring file. It holds the key bytes: for a file of mode 0600 and nothing else. */
export function formatKeyringFile(contents: KeyringContents): string {
  const head = { format: KEYRING_FORMAT, name: contents.name, type: contents.type }
  const body =
    contents.type === 'objects'
      ? { objects: contents.objects.map(formatObject) }
      : { versions: contents.versions.map(formatVersion) }
  return `${JSON.stringify({ ...head, ...body }, null, 2)}\n`
}

const formatKey = (key: KeyObject) => ({ key: key.export().toString('base64'), check: checkValue(key) })

const formatVersion = ({ id, state, created, key }: KeyVersion) => ({ id, state, created, ...formatKey(key) })

const formatObject = ({ bucket, objectKey, version, key }: ObjectEntry) => ({
  bucket,
  objectKey,
  ...(version.type === 'id' ? { versionId: version.versionId } : {}),
  ...formatKey(key),
})

/** The keyring with a new key version that is active from now on; all the others become readable, none goes. */
export function withActiveVersion(
  contents: VersionedContents,
  version: Pick<KeyVersion, 'id' | 'created' | 'key'>,
): VersionedContents {
  const older = contents.versions.map((one) => ({ ...one, state: 'readable' as const }))
  return { ...contents, versions: [...older, { ...version, state: 'active' }] }
}
