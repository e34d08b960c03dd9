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

/** What is told of every key version. The active one encrypts; the others only read what they encrypted before. */
export interface VersionHead {
  readonly id: string
  readonly state: 'active' | 'readable'
  /** UTC, ISO 8601 */
  readonly created: string
}

/** A key version whose bytes are in the file. */
export interface PlainVersion extends VersionHead {
  readonly type: 'plain'
  readonly key: KeyObject
}

/** A key version whose bytes only KMS can give: Decrypt, with the encryption context of wrap-key.ts. */
export interface WrappedVersion extends VersionHead {
  readonly type: 'wrapped'
  /** What KMS calls CiphertextBlob. */
  readonly wrappedKey: Buffer
  /** A key id, an ARN or an alias. */
  readonly kmsKeyId: string
  /** The check value of the unwrapped key. */
  readonly check: string
}

/** A key version whose bytes never leave KMS: GenerateMac. */
export interface MacVersion extends VersionHead {
  readonly type: 'mac'
  /** A key id, an ARN or an alias. */
  readonly kmsKeyId: string
  /** As every check value, but it is KMS that computes it. */
  readonly check: string
}

export type KeyVersion = PlainVersion | WrappedVersion

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
  | { readonly type: 'kms-mac'; readonly name: string; readonly versions: readonly MacVersion[] }
  | { readonly type: 'objects'; readonly name: string; readonly objects: readonly ObjectEntry[] }

/** A keyring of key versions whose bytes the file holds, plain or wrapped. */
export type VersionedContents = Extract<KeyringContents, { type: 'derived' | 'fixed' }>

/** What a version has beside its head: the part that differs from kind to kind. */
export type Material<V extends VersionHead> = V extends VersionHead ? Omit<V, keyof VersionHead> : never

/** The check value of a key version, whether or not its key is at hand. */
export function checkOf(version: Material<KeyVersion | MacVersion>): string {
  return version.type === 'plain' ? checkValue(version.key) : version.check
}

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

function formatVersion(version: KeyVersion | MacVersion): object {
  const { id, state, created } = version
  switch (version.type) {
    case 'plain':
      return { id, state, created, ...formatKey(version.key) }
    case 'wrapped': {
      const { wrappedKey, kmsKeyId, check } = version
      return { id, state, created, wrappedKey: wrappedKey.toString('base64'), kmsKeyId, check }
    }
    case 'mac':
      return { id, state, created, kmsKeyId: version.kmsKeyId, check: version.check }
  }
}

const formatObject = ({ bucket, objectKey, version, key }: ObjectEntry) => ({
  bucket,
  objectKey,
  ...(version.type === 'id' ? { versionId: version.versionId } : {}),
  ...formatKey(key),
})

/** A key version that is yet to be given its state. */
export type NewVersion = Omit<PlainVersion, 'state'> | Omit<WrappedVersion, 'state'>

/**
 * The keyring with a new key version that is active from now on; all the others become readable, none goes. Versions
 * stand in the order in which they were made, also where a clock went back in between.
 */
export function withActiveVersion(contents: VersionedContents, version: NewVersion): VersionedContents {
  const older = contents.versions.map((one) => ({ ...one, state: 'readable' as const }))
  const times = [...older.map(({ created }) => created), version.created]
  const created = times.reduce((latest, time) => (Date.parse(time) > Date.parse(latest) ? time : latest))
  return { ...contents, versions: [...older, { ...version, created, state: 'active' }] }
}
