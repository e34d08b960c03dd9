import { emptyAnswer, versionHeader, xmlAnswer, type Answer, type BucketCall, type ObjectCall } from '../call.js'
import type { Tag } from '../model.js'
import { checkTags } from '../object-headers.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { findObject } from '../versions.js'
import { branch, childrenOf, document, leaf, textOf } from '../xml.js'

export function getObjectTagging(call: ObjectCall): Answer {
  const version = findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  return xmlAnswer(tagDocument(version.tags), versionHeader(call.bucket, version))
}

export async function putObjectTagging(call: ObjectCall): Promise<Answer> {
  const tags = await readTags(call, 10)
  const version = findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  version.tags = tags
  return emptyAnswer(200, versionHeader(call.bucket, version))
}

export function deleteObjectTagging(call: ObjectCall): Answer {
  const version = findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  version.tags = []
  return emptyAnswer(204, versionHeader(call.bucket, version))
}

export function getBucketTagging(call: BucketCall): Answer {
  if (call.bucket.tags.length === 0) throw new Refusal('NoSuchTagSet', { extra: { BucketName: call.bucket.name } })
  return xmlAnswer(tagDocument(call.bucket.tags))
}

export async function putBucketTagging(call: BucketCall): Promise<Answer> {
  call.bucket.tags = await readTags(call, 50)
  return emptyAnswer(204)
}

export function deleteBucketTagging(call: BucketCall): Answer {
  call.bucket.tags = []
  return emptyAnswer(204)
}

function tagDocument(tags: readonly Tag[]): string {
  const elements = tags.map((tag) => branch('Tag', leaf('Key', tag.key), leaf('Value', tag.value)))
  return document('Tagging', branch('TagSet', ...elements))
}

async function readTags(call: BucketCall, limit: number): Promise<readonly Tag[]> {
  const root = await readDocument(call, 'Tagging')
  const [set] = childrenOf(root, 'TagSet')
  if (set === undefined) throw new Refusal('MalformedXML')
  const tags = childrenOf(set, 'Tag').map((tag) => ({ key: textOf(tag, 'Key'), value: textOf(tag, 'Value') }))
  return checkTags(tags, limit)
}
