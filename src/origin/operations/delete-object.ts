import { emptyAnswer, versionHeader, xmlAnswer, type Answer, type BucketCall, type ObjectCall } from '../call.js'
import { contentMd5Of, promisedChecksum } from '../ingest.js'
import { names } from '../preconditions.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { checkVersionId, currentObject, deleteObject as remove, type Deleted } from '../versions.js'
import { checkUnlocked } from './object-lock.js'
import { branch, childrenOf, document, leaf, textOf } from '../xml.js'

export function deleteObject(call: ObjectCall): Answer {
  const { bucket, objectKey, state } = call
  const versionId = call.query.get('versionId')
  if (versionId !== undefined) checkVersionId(versionId)
  checkMatch(call, objectKey, call.fields.get('if-match'))
  checkDeletable(call, objectKey, versionId)
  const deleted = remove(bucket, objectKey, versionId, state.now())
  if (deleted.type === 'nothing')
    return emptyAnswer(204, versionId === undefined ? {} : { 'x-amz-version-id': versionId })
  const version = deleted.type === 'marked' ? deleted.marker : deleted.version
  const marker = version.type === 'delete-marker' ? { 'x-amz-delete-marker': 'true' } : {}
  return emptyAnswer(204, { ...versionHeader(bucket, version), ...marker })
}

/** Locks keep versions; a delete marker may always be put over them. */
function checkDeletable(call: BucketCall, objectKey: string, versionId: string | undefined): void {
  if (versionId === undefined) return
  const versions = call.bucket.objects.get(objectKey) ?? []
  checkUnlocked(
    call,
    versions.find((version) => version.versionId === versionId),
  )
}

function checkMatch(call: BucketCall, objectKey: string, condition: string | undefined): void {
  if (condition === undefined) return
  const current = currentObject(call.bucket, objectKey)
  if (current === 'none') throw new Refusal('NoSuchKey', { extra: { Key: objectKey } })
  if (!names(condition, current, call.state)) {
    throw new Refusal('PreconditionFailed', { extra: { Condition: 'If-Match' } })
  }
}

/** DeleteObjects: up to 1000 object keys, each deleted by itself. */
export async function deleteObjects(call: BucketCall): Promise<Answer> {
  if (contentMd5Of(call.fields) === undefined && promisedChecksum(call.fields).type === 'none') {
    throw new Refusal('InvalidRequest', { message: 'Missing required header for this request: Content-MD5' })
  }
  const root = await readDocument(call, 'Delete')
  const quiet = textOf(root, 'Quiet') === 'true'
  const objects = childrenOf(root, 'Object')
  if (objects.length === 0 || objects.length > 1000) throw new Refusal('MalformedXML')
  const results = objects.map((object) => {
    const objectKey = textOf(object, 'Key')
    const versionId = childrenOf(object, 'VersionId')[0]?.text
    const etag = childrenOf(object, 'ETag')[0]?.text
    try {
      if (versionId !== undefined) checkVersionId(versionId)
      checkMatch(call, objectKey, etag)
      checkDeletable(call, objectKey, versionId)
      const deleted = remove(call.bucket, objectKey, versionId, call.state.now())
      return quiet ? '' : deletedElement(objectKey, versionId, deleted)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return branch('Error', leaf('Key', objectKey), leaf('Code', error.code), leaf('Message', error.message))
    }
  })
  return xmlAnswer(document('DeleteResult', ...results))
}

function deletedElement(objectKey: string, versionId: string | undefined, deleted: Deleted): string {
  const named = versionId === undefined ? '' : leaf('VersionId', versionId)
  const marker =
    deleted.type === 'marked'
      ? deleted.marker
      : deleted.type === 'version' && deleted.version.type === 'delete-marker'
        ? deleted.version
        : undefined
  const marked =
    marker === undefined ? '' : leaf('DeleteMarker', true) + leaf('DeleteMarkerVersionId', marker.versionId)
  return branch('Deleted', leaf('Key', objectKey), named, marked)
}
