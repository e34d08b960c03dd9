import { emptyAnswer, type Answer, type ObjectCall } from '../call.js'
import type { ObjectVersion } from '../model.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { findObject } from '../versions.js'
import { textOf } from '../xml.js'

const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE']
const DAY_MS = 86_400_000

/**
 * Restores an archived object at once, where AWS takes hours; a select (`Type`) is not built.
 *
 * @throws Refusal InvalidObjectState, MalformedXML, NotImplemented
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 */
export async function restoreObject(call: ObjectCall): Promise<Answer> {
  const root = await readDocument(call, 'RestoreRequest')
  const version = findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  if (textOf(root, 'Type') !== '') throw new Refusal('NotImplemented', { extra: { Header: 'Type' } })
  const days = Number(textOf(root, 'Days'))
  if (!Number.isInteger(days) || days < 1) throw new Refusal('MalformedXML')
  if (!ARCHIVES.includes(version.storageClass)) {
    const message = "Restore is not allowed for the object's current storage class"
    throw new Refusal('InvalidObjectState', { message, extra: { StorageClass: version.storageClass } })
  }
  const again = version.restoredUntil.getTime() > 0
  version.restoredUntil = new Date(call.state.now().getTime() + days * DAY_MS)
  return emptyAnswer(again ? 200 : 202)
}

/** @throws Refusal InvalidObjectState */
export function checkRestored({ storageClass, restoredUntil }: ObjectVersion, now: Date): void {
  if (ARCHIVES.includes(storageClass) && restoredUntil <= now) {
    throw new Refusal('InvalidObjectState', { extra: { StorageClass: storageClass } })
  }
}

export function restoreHeaders({ restoredUntil }: ObjectVersion): Record<string, string> {
  if (restoredUntil.getTime() === 0) return {}
  return { 'x-amz-restore': `ongoing-request="false", expiry-date="${restoredUntil.toUTCString()}"` }
}
