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

/**
 * Exactly one key version is `active`: it encrypts. `readable` ones read what they encrypted before. A `pending` one, of
 * which there is at most one, is active from `activateAt` (UTC, ISO 8601) on, and the one before it readable from then.
 */
export type VersionState =
  { readonly state: 'active' | 'readable' } | { readonly state: 'pending'; readonly activateAt: string }

/** What is told of every key version. */
export type VersionHead = VersionState & {
  readonly id: string
  /** UTC, ISO 8601 */
  readonly created: string
}

/** The bytes are in the file. */
export interface PlainMaterial {
  readonly type: 'plain'
  readonly key: KeyObject
}

/** Only KMS can give the bytes: Decrypt, with the encryption context of wrap-key.ts. */
export interface WrappedMaterial {
  readonly type: 'wrapped'
  /** What KMS calls CiphertextBlob. */
  readonly wrappedKey: Buffer
  /** A key id, an ARN or an alias. */
  readonly kmsKeyId: string
  /** The check value of the unwrapped key. */
  readonly check: string
}

/** The bytes never leave KMS: GenerateMac. */
export interface MacMaterial {
  readonly type: 'mac'
  /** A key id, an ARN or an alias. */
  readonly kmsKeyId: string
  /** As every check value, but it is KMS that computes it. */
  readonly check: string
}

/** What a version has beside its head: the part that differs from kind to kind. */
export type Material = PlainMaterial | WrappedMaterial | MacMaterial

export type PlainVersion = VersionHead & PlainMaterial
export type WrappedVersion = VersionHead & WrappedMaterial
export type MacVersion = VersionHead & MacMaterial
export type KeyVersion = PlainVersion | WrappedVersion

/** A key version that is yet to be given its state. */
export type NewVersion = Pick<VersionHead, 'id' | 'created'> & (PlainMaterial | WrappedMaterial)

export type NewMacVersion = Pick<VersionHead, 'id' | 'created'> & MacMaterial

/**
 * What stays of a key version that was taken out on purpose. Without it, a file that lost a version could not be told
 * from one that needs it no more.
 */
export interface RetiredVersion {
  readonly id: string
  /** UTC, ISO 8601 */
  readonly created: string
  /** Of the key that was here. */
  readonly check: string
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
  | VersionedContents
  | MacContents
  | { readonly type: 'objects'; readonly name: string; readonly objects: readonly ObjectEntry[] }

/** A keyring of key versions whose bytes the file holds, plain or wrapped. */
export type VersionedContents = Versions<'derived' | 'fixed', KeyVersion>

/** A keyring of key versions whose bytes KMS keeps. */
export type MacContents = Versions<'kms-mac', MacVersion>

interface Versions<Type extends string, V extends VersionHead> {
  readonly type: Type
  readonly name: string
  /** In the order in which they were made. */
  readonly versions: readonly V[]
  readonly retired: readonly RetiredVersion[]
}

/** The check value of a key version, whether or not its key is at hand. */
export function checkOf(version: Material): string {
  return version.type === 'plain' ? checkValue(version.key) : version.check
}

/** The text of a keyring file. It holds the key bytes: for a file of mode 0600 and nothing else. */
export function formatKeyringFile(contents: KeyringContents): string {
  const head = { format: KEYRING_FORMAT, name: contents.name, type: contents.type }
  const body =
    contents.type === 'objects'
      ? { objects: contents.objects.map(formatObject) }
      : { versions: [...contents.versions.map(formatVersion), ...contents.retired.map(formatRetired)] }
  return `${JSON.stringify({ ...head, ...body }, null, 2)}\n`
}

const formatKey = (key: KeyObject) => ({ key: key.export().toString('base64'), check: checkValue(key) })

function formatVersion(version: KeyVersion | MacVersion): object {
  const { id, state, created } = version
  const activateAt = version.state === 'pending' ? { activateAt: version.activateAt } : {}
  return { id, state, ...activateAt, created, ...formatMaterial(version) }
}

function formatMaterial(material: Material): object {
  switch (material.type) {
    case 'plain':
      return formatKey(material.key)
    case 'wrapped': {
      const { wrappedKey, kmsKeyId, check } = material
      return { wrappedKey: wrappedKey.toString('base64'), kmsKeyId, check }
    }
    case 'mac':
      return { kmsKeyId: material.kmsKeyId, check: material.check }
  }
}

const formatRetired = ({ id, created, check }: RetiredVersion) => ({ id, state: 'retired', created, check })

const formatObject = ({ bucket, objectKey, version, key }: ObjectEntry) => ({
  bucket,
  objectKey,
  ...(version.type === 'id' ? { versionId: version.versionId } : {}),
  ...formatKey(key),
})
