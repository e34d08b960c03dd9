import type { CustomerKey } from '../at-rest.js'
import type { ObjectCall } from '../call.js'
import { checkOpens, copySourceKey } from '../customer-key.js'
import { decodeOnce } from '../encoding.js'
import type { BucketState, ObjectVersion } from '../model.js'
import { checkCopyConditions } from '../preconditions.js'
import { Refusal } from '../refusal.js'
import { findObject } from '../versions.js'

export interface CopySource {
  readonly bucket: BucketState
  readonly objectKey: string
  readonly version: ObjectVersion
  readonly customerKey: CustomerKey
  /** Whether the request named the version. */
  readonly named: boolean
}

/** Finds the source of a copy, opens it with the key that came for it and checks the conditions on it. */
export function openCopySource(call: ObjectCall): CopySource {
  const header = call.fields.get('x-amz-copy-source') ?? ''
  if (header.startsWith('arn:')) throw new Refusal('NotImplemented', { extra: { Header: 'x-amz-copy-source' } })
  const [path = '', query] = header.split(/\?versionId=/)
  const decoded = decodeOnce(path).replace(/^\//, '')
  const slash = decoded.indexOf('/')
  if (slash < 1 || slash === decoded.length - 1) {
    throw new Refusal('InvalidArgument', {
      message: 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      extra: { ArgumentName: 'x-amz-copy-source', ArgumentValue: header.slice(0, 200) },
    })
  }
  const name = decoded.slice(0, slash)
  const objectKey = decoded.slice(slash + 1)
  const bucket = call.state.buckets.get(name)
  if (bucket === undefined) throw new Refusal('NoSuchBucket', { extra: { BucketName: name } })
  const version = findSource(bucket, objectKey, query === undefined ? undefined : decodeOnce(query))
  const customerKey = copySourceKey(call)
  checkOpens(customerKey, version.protection)
  checkCopyConditions(call.fields, version, call.state)
  return { bucket, objectKey, version, customerKey, named: query !== undefined }
}

function findSource(bucket: BucketState, objectKey: string, versionId: string | undefined): ObjectVersion {
  try {
    return findObject(bucket, objectKey, versionId)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'MethodNotAllowed') throw error
    throw new Refusal('InvalidRequest', {
      message: 'The source of a copy request may not specifically refer to a delete marker by version id.',
    })
  }
}

/** The header that tells which version was copied. */
export function sourceVersionHeader(source: CopySource): Record<string, string> {
  return source.bucket.versioning === 'never' ? {} : { 'x-amz-copy-source-version-id': source.version.versionId }
}
