import { randomBytes } from 'node:crypto'
import type { BucketState, DeleteMarker, ObjectVersion, Version } from './model.js'
import { Refusal } from './refusal.js'

/** The newest version if it is an object. */
export function currentObject(bucket: BucketState, objectKey: string): ObjectVersion | 'none' {
  const [newest] = bucket.objects.get(objectKey) ?? []
  return newest?.type === 'object' ? newest : 'none'
}

/**
 * The version that a read names, or the newest one.
 * @throws Refusal NoSuchKey, NoSuchVersion, MethodNotAllowed (the named version is a delete marker)
 */
export function findObject(bucket: BucketState, objectKey: string, versionId: string | undefined): ObjectVersion {
  const versions = bucket.objects.get(objectKey) ?? []
  if (versionId === undefined) {
    const [newest] = versions
    if (newest?.type === 'object') return newest
    const headers = newest === undefined ? {} : markerHeaders(newest)
    throw new Refusal('NoSuchKey', { extra: { Key: objectKey }, headers })
  }
  checkVersionId(versionId)
  const version = versions.find((candidate) => candidate.versionId === versionId)
  if (version === undefined) {
    throw new Refusal('NoSuchVersion', { extra: { Key: objectKey, VersionId: versionId } })
  }
  if (version.type === 'delete-marker') {
    throw new Refusal('MethodNotAllowed', {
      extra: { Method: 'GET', ResourceType: 'DeleteMarker' },
      headers: { ...markerHeaders(version), allow: 'DELETE', 'last-modified': version.lastModified.toUTCString() },
    })
  }
  return version
}

/** Version ids are S3's own: 32 characters, or `null`. @throws Refusal InvalidArgument */
export function checkVersionId(versionId: string): void {
  if (versionId === 'null' || /^[A-Za-z0-9._-]{32}$/.test(versionId)) return
  throw new Refusal('InvalidArgument', {
    message: 'Invalid version id specified',
    extra: { ArgumentName: 'versionId', ArgumentValue: versionId.slice(0, 200) },
  })
}

export function markerHeaders(version: Version): Record<string, string> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId }
}

/** The id that a new version gets; `null` replaces the one that was `null`. */
export function newVersionId(bucket: BucketState): string {
  return bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null'
}

/** Makes a version the newest. */
export function addVersion(bucket: BucketState, objectKey: string, version: Version): void {
  const kept = (bucket.objects.get(objectKey) ?? []).filter(
    (old) => old.versionId !== version.versionId || version.versionId !== 'null',
  )
  bucket.objects.set(objectKey, [version, ...kept])
}

export type Deleted =
  | { readonly type: 'nothing' }
  | { readonly type: 'version'; readonly version: Version }
  | { readonly type: 'marked'; readonly marker: DeleteMarker }

/** Removes the named version for good, or the object as the bucket's versioning has it. */
export function deleteObject(
  bucket: BucketState,
  objectKey: string,
  versionId: string | undefined,
  now: Date,
): Deleted {
  const versions = bucket.objects.get(objectKey) ?? []
  if (versionId !== undefined || bucket.versioning === 'never') {
    const named = versionId ?? 'null'
    const version = versions.find((candidate) => candidate.versionId === named)
    if (version === undefined) return { type: 'nothing' }
    const kept = versions.filter((candidate) => candidate !== version)
    if (kept.length === 0) bucket.objects.delete(objectKey)
    else bucket.objects.set(objectKey, kept)
    return { type: 'version', version }
  }
  const marker: DeleteMarker = { type: 'delete-marker', versionId: newVersionId(bucket), lastModified: now }
  addVersion(bucket, objectKey, marker)
  return { type: 'marked', marker }
}
