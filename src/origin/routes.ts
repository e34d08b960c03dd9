import type { Answer, BucketCall, NewBucketCall, ObjectCall, ServiceCall } from './call.js'
import type { Fields } from '../s3/fields.js'
import type { Query } from './encoding.js'
import { getBucketAcl, getObjectAcl, putAcl, putObjectAcl } from './operations/acl.js'
import * as policies from './operations/bucket-policy.js'
import * as settings from './operations/bucket-settings.js'
import { createBucket, deleteBucket, headBucket, listBuckets } from './operations/buckets.js'
import { completeMultipartUpload } from './operations/complete-upload.js'
import * as cors from './operations/cors.js'
import { copyObject } from './operations/copy-object.js'
import { deleteObject, deleteObjects } from './operations/delete-object.js'
import { getObject, headObject } from './operations/get-object.js'
import { listObjectVersions } from './operations/list-object-versions.js'
import { listObjects, listObjectsV2 } from './operations/list-objects.js'
import { getObjectAttributes } from './operations/object-attributes.js'
import * as lock from './operations/object-lock.js'
import { restoreObject } from './operations/restore-object.js'
import { selectObjectContent } from './operations/select-object.js'
import { listParts, uploadPart, uploadPartCopy } from './operations/parts.js'
import { putObject } from './operations/put-object.js'
import * as tagging from './operations/tagging.js'
import { abortMultipartUpload, createMultipartUpload, listMultipartUploads } from './operations/uploads.js'
import { Refusal } from './refusal.js'

type Soon = Answer | Promise<Answer>

/** What a row is about decides which call its function gets. */
type Operation =
  | { readonly on: 'service'; readonly run: (call: ServiceCall) => Soon }
  | { readonly on: 'new-bucket'; readonly run: (call: NewBucketCall) => Soon }
  | { readonly on: 'bucket'; readonly run: (call: BucketCall) => Soon }
  | { readonly on: 'object'; readonly run: (call: ObjectCall) => Soon }

export type Route = Operation & {
  readonly name: string
  readonly method: string
  /** Query parameters that must be there; with `=`, their value too. */
  readonly query: readonly string[]
  /** Whether x-amz-copy-source makes it this row. */
  readonly copy?: boolean
}

const service = (name: string, method: string, run: (call: ServiceCall) => Soon): Route => ({
  name,
  method,
  query: [],
  on: 'service',
  run,
})
const bucket = (name: string, method: string, query: readonly string[], run: (call: BucketCall) => Soon): Route => ({
  name,
  method,
  query,
  on: 'bucket',
  run,
})
const object = (name: string, method: string, query: readonly string[], run: (call: ObjectCall) => Soon): Route => ({
  name,
  method,
  query,
  on: 'object',
  run,
})
const copy = (name: string, query: readonly string[], run: (call: ObjectCall) => Soon): Route => ({
  name,
  method: 'PUT',
  query,
  on: 'object',
  run,
  copy: true,
})

/** The first row that fits is the operation; rows with more conditions come first. */
export const ROUTES: readonly Route[] = [
  service('ListBuckets', 'GET', listBuckets),

  copy('UploadPartCopy', ['partNumber', 'uploadId'], uploadPartCopy),
  object('UploadPart', 'PUT', ['partNumber', 'uploadId'], uploadPart),
  object('CreateMultipartUpload', 'POST', ['uploads'], createMultipartUpload),
  object('CompleteMultipartUpload', 'POST', ['uploadId'], completeMultipartUpload),
  object('AbortMultipartUpload', 'DELETE', ['uploadId'], abortMultipartUpload),
  object('ListParts', 'GET', ['uploadId'], listParts),
  object('GetObjectAttributes', 'GET', ['attributes'], getObjectAttributes),
  object('GetObjectTagging', 'GET', ['tagging'], tagging.getObjectTagging),
  object('PutObjectTagging', 'PUT', ['tagging'], tagging.putObjectTagging),
  object('DeleteObjectTagging', 'DELETE', ['tagging'], tagging.deleteObjectTagging),
  object('GetObjectAcl', 'GET', ['acl'], getObjectAcl),
  object('PutObjectAcl', 'PUT', ['acl'], putObjectAcl),
  object('GetObjectRetention', 'GET', ['retention'], lock.getObjectRetention),
  object('PutObjectRetention', 'PUT', ['retention'], lock.putObjectRetention),
  object('GetObjectLegalHold', 'GET', ['legal-hold'], lock.getObjectLegalHold),
  object('PutObjectLegalHold', 'PUT', ['legal-hold'], lock.putObjectLegalHold),
  object('RestoreObject', 'POST', ['restore'], restoreObject),
  object('SelectObjectContent', 'POST', ['select', 'select-type=2'], selectObjectContent),
  copy('CopyObject', [], copyObject),
  object('PutObject', 'PUT', [], putObject),
  object('GetObject', 'GET', [], getObject),
  object('HeadObject', 'HEAD', [], headObject),
  object('DeleteObject', 'DELETE', [], deleteObject),

  bucket('DeleteObjects', 'POST', ['delete'], deleteObjects),
  bucket('ListMultipartUploads', 'GET', ['uploads'], listMultipartUploads),
  bucket('ListObjectVersions', 'GET', ['versions'], listObjectVersions),
  bucket('GetBucketLocation', 'GET', ['location'], settings.getBucketLocation),
  bucket('GetBucketVersioning', 'GET', ['versioning'], settings.getBucketVersioning),
  bucket('PutBucketVersioning', 'PUT', ['versioning'], settings.putBucketVersioning),
  bucket('GetBucketEncryption', 'GET', ['encryption'], settings.getBucketEncryption),
  bucket('PutBucketEncryption', 'PUT', ['encryption'], settings.putBucketEncryption),
  bucket('DeleteBucketEncryption', 'DELETE', ['encryption'], settings.deleteBucketEncryption),
  bucket('GetBucketTagging', 'GET', ['tagging'], tagging.getBucketTagging),
  bucket('PutBucketTagging', 'PUT', ['tagging'], tagging.putBucketTagging),
  bucket('DeleteBucketTagging', 'DELETE', ['tagging'], tagging.deleteBucketTagging),
  bucket('GetBucketAcl', 'GET', ['acl'], getBucketAcl),
  bucket('PutBucketAcl', 'PUT', ['acl'], putAcl),
  bucket('GetBucketRequestPayment', 'GET', ['requestPayment'], settings.getRequestPayment),
  bucket('GetBucketLogging', 'GET', ['logging'], settings.getBucketLogging),
  bucket('GetBucketNotificationConfiguration', 'GET', ['notification'], settings.getBucketNotification),
  bucket('GetBucketAccelerateConfiguration', 'GET', ['accelerate'], settings.getBucketAccelerate),
  bucket('GetBucketOwnershipControls', 'GET', ['ownershipControls'], settings.getOwnershipControls),
  bucket('GetBucketPolicy', 'GET', ['policy'], policies.getBucketPolicy),
  bucket('PutBucketPolicy', 'PUT', ['policy'], policies.putBucketPolicy),
  bucket('DeleteBucketPolicy', 'DELETE', ['policy'], policies.deleteBucketPolicy),
  bucket('GetBucketCors', 'GET', ['cors'], cors.getBucketCors),
  bucket('PutBucketCors', 'PUT', ['cors'], cors.putBucketCors),
  bucket('DeleteBucketCors', 'DELETE', ['cors'], cors.deleteBucketCors),
  bucket('GetBucketLifecycleConfiguration', 'GET', ['lifecycle'], settings.absent('NoSuchLifecycleConfiguration')),
  bucket('DeleteBucketLifecycle', 'DELETE', ['lifecycle'], settings.nothingToDelete),
  bucket('GetBucketWebsite', 'GET', ['website'], settings.absent('NoSuchWebsiteConfiguration')),
  bucket('DeleteBucketWebsite', 'DELETE', ['website'], settings.nothingToDelete),
  bucket('GetBucketReplication', 'GET', ['replication'], settings.absent('ReplicationConfigurationNotFoundError')),
  bucket('GetObjectLockConfiguration', 'GET', ['object-lock'], lock.getObjectLockConfiguration),
  bucket('PutObjectLockConfiguration', 'PUT', ['object-lock'], lock.putObjectLockConfiguration),
  bucket('GetPublicAccessBlock', 'GET', ['publicAccessBlock'], settings.absent('NoSuchPublicAccessBlockConfiguration')),
  bucket('ListObjectsV2', 'GET', ['list-type=2'], listObjectsV2),
  bucket('ListObjects', 'GET', [], listObjects),
  bucket('HeadBucket', 'HEAD', [], headBucket),
  bucket('DeleteBucket', 'DELETE', [], deleteBucket),
  { name: 'CreateBucket', method: 'PUT', query: [], on: 'new-bucket', run: createBucket },
]

/** Parameters that choose an operation; one that no row took is an operation that is not built. */
const SUBRESOURCES = new Set([
  ...ROUTES.flatMap((route) => route.query.map((part) => part.replace(/=.*/, ''))),
  'analytics',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'policyStatus',
  'renameObject',
  'restore',
  'retention',
  'select',
  'session',
  'torrent',
  'encryption',
  'object-lock',
])

/** @throws Refusal NotImplemented (an operation of S3 that is not built), MethodNotAllowed */
export function findRoute(on: Route['on'], method: string, query: Query, fields: Fields): Route {
  const isCopy = fields.has('x-amz-copy-source')
  const route = ROUTES.find(
    (row) =>
      (row.on === on || (row.on === 'new-bucket' && on === 'bucket')) &&
      row.method === method &&
      (row.copy === true) === (isCopy && row.on === 'object' && method === 'PUT') &&
      row.query.every((part) => matches(part, query)),
  )
  const named = [...query.keys()].find((name) => SUBRESOURCES.has(name))
  const taken = route?.query.map((part) => part.replace(/=.*/, '')) ?? []
  if (named !== undefined && named !== 'partNumber' && named !== 'list-type' && !taken.includes(named)) {
    throw new Refusal('NotImplemented', {
      message: `${method} with ?${named} is not built in this origin`,
      extra: { Parameter: named },
    })
  }
  if (route !== undefined) return route
  if (['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS'].includes(method)) {
    throw new Refusal('NotImplemented', { message: `${method} on a ${on} is not built in this origin` })
  }
  throw new Refusal('MethodNotAllowed', { extra: { Method: method, ResourceType: on.toUpperCase() } })
}

function matches(part: string, query: Query): boolean {
  const [name = '', value] = part.split('=')
  return value === undefined ? query.has(name) : query.get(name) === value
}
