import { httpDate, versionHeader, xmlAnswer, type Answer, type ObjectCall } from '../call.js'
import { checkOpens, checkReadHeaders, targetKey } from '../customer-key.js'
import type { ObjectVersion } from '../model.js'
import { invalidArgument } from '../refusal.js'
import { findObject } from '../versions.js'
import { branch, document, leaf } from '../xml.js'
import { checksumElements } from './copy-object.js'
import { partChecksumElement } from './parts.js'

const NAMES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']

export function getObjectAttributes(call: ObjectCall): Answer {
  const version = findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  checkReadHeaders(call)
  checkOpens(targetKey(call), version.protection)
  const header = call.fields.get('x-amz-object-attributes') ?? ''
  const asked = new Set(header.split(',').map((name) => name.trim()))
  if ([...asked].some((name) => !NAMES.includes(name))) {
    throw invalidArgument('x-amz-object-attributes', header, 'Invalid attribute name specified.')
  }
  const elements = [
    asked.has('ETag') ? leaf('ETag', call.state.faults.rewriteEtag(version.etag)) : '',
    asked.has('Checksum') && version.checksum.type !== 'none'
      ? branch('Checksum', checksumElements(version.checksum))
      : '',
    asked.has('ObjectParts') && version.parts.length > 0 ? partsElement(call, version) : '',
    asked.has('StorageClass') ? leaf('StorageClass', version.storageClass) : '',
    asked.has('ObjectSize') ? leaf('ObjectSize', version.size) : '',
  ]
  return xmlAnswer(document('GetObjectAttributesResponse', ...elements), {
    'last-modified': httpDate(version.lastModified),
    ...versionHeader(call.bucket, version),
  })
}

/** S3 lists the parts only where they have checksums; their number always. */
function partsElement(call: ObjectCall, version: ObjectVersion): string {
  const count = leaf('PartsCount', version.parts.length)
  if (version.checksum.type === 'none') return branch('ObjectParts', count)
  const marker = Number(call.fields.get('x-amz-part-number-marker') ?? 0)
  const limit = Math.min(Number(call.fields.get('x-amz-max-parts') ?? 1000), 1000)
  const after = version.parts.filter((part) => part.partNumber > marker)
  const page = after.slice(0, limit)
  return branch(
    'ObjectParts',
    count,
    leaf('PartNumberMarker', marker),
    leaf('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0),
    leaf('MaxParts', limit),
    leaf('IsTruncated', after.length > page.length),
    ...page.map((part) =>
      branch('Part', leaf('PartNumber', part.partNumber), leaf('Size', part.size), partChecksumElement(part.checksum)),
    ),
  )
}
