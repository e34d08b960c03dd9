import { type Operation, row } from './operation.js'

/** Listings take each other's parameters: which one is meant, `list-type` says, and S3 ignores the other's. */
const LISTING = [
  'prefix',
  'delimiter',
  'encoding-type',
  'max-keys',
  'marker',
  'continuation-token',
  'start-after',
  'fetch-owner',
]

/** Buckets themselves and what is in them. */
const CONTENTS: readonly Operation[] = [
  row('CreateBucket', 'PUT', 'bucket', 'manage', { body: 'xml' }),
  row('DeleteBucket', 'DELETE', 'bucket', 'manage'),
  row('HeadBucket', 'HEAD', 'bucket', 'list'),
  row('ListObjects', 'GET', 'bucket', 'list', { optional: LISTING, listsObjects: true }),
  row('ListObjectsV2', 'GET', 'bucket', 'list', { required: ['list-type=2'], optional: LISTING, listsObjects: true }),
  row('ListObjectVersions', 'GET', 'bucket', 'list', {
    required: ['versions'],
    optional: ['prefix', 'delimiter', 'encoding-type', 'max-keys', 'key-marker', 'version-id-marker'],
    listsObjects: true,
  }),
  row('ListMultipartUploads', 'GET', 'bucket', 'list', {
    required: ['uploads'],
    optional: ['prefix', 'delimiter', 'encoding-type', 'max-uploads', 'key-marker', 'upload-id-marker'],
    listsObjects: true,
  }),
  row('DeleteObjects', 'POST', 'bucket', 'delete', { required: ['delete'], body: 'xml' }),
  row('PreflightBucket', 'OPTIONS', 'bucket', 'none', { optional: 'any' }),
  row('PostObject', 'POST', 'bucket', 'write', {
    selector: 'form',
    customerKey: 'target',
    keyUse: 'write',
    body: 'object',
    proof: true,
  }),
  row('CreateSession', 'GET', 'bucket', 'write', {
    required: ['session'],
    handling: { refuse: 'Sessions of directory buckets are not supported: their credentials would bypass the proxy.' },
  }),
  row('WriteGetObjectResponse', 'POST', 'bucket', 'write', {
    selector: 'object-lambda',
    body: 'object',
    handling: { refuse: 'S3 Object Lambda is not supported: its answers are not encrypted with a customer key.' },
  }),
]

const configuration = (name: string, method: string, parameter: string): Operation =>
  row(name, method, 'bucket', 'manage', {
    required: [parameter],
    body: method === 'PUT' || method === 'POST' ? 'opaque' : 'none',
  })

/** Asked for unbidden by clients that only list (minio-js, rclone). */
const PROBED: readonly Operation[] = [
  row('GetBucketLocation', 'GET', 'bucket', 'list', { required: ['location'] }),
  row('GetBucketVersioning', 'GET', 'bucket', 'list', { required: ['versioning'] }),
]

const CONFIGURATION: readonly Operation[] = [
  configuration('GetBucketAbac', 'GET', 'abac'),
  configuration('PutBucketAbac', 'PUT', 'abac'),
  configuration('GetBucketAccelerateConfiguration', 'GET', 'accelerate'),
  configuration('PutBucketAccelerateConfiguration', 'PUT', 'accelerate'),
  configuration('GetBucketAcl', 'GET', 'acl'),
  configuration('PutBucketAcl', 'PUT', 'acl'),
  configuration('GetBucketCors', 'GET', 'cors'),
  configuration('PutBucketCors', 'PUT', 'cors'),
  configuration('DeleteBucketCors', 'DELETE', 'cors'),
  configuration('GetBucketEncryption', 'GET', 'encryption'),
  configuration('PutBucketEncryption', 'PUT', 'encryption'),
  configuration('DeleteBucketEncryption', 'DELETE', 'encryption'),
  configuration('GetBucketLifecycleConfiguration', 'GET', 'lifecycle'),
  configuration('PutBucketLifecycleConfiguration', 'PUT', 'lifecycle'),
  configuration('DeleteBucketLifecycle', 'DELETE', 'lifecycle'),
  configuration('GetBucketLogging', 'GET', 'logging'),
  configuration('PutBucketLogging', 'PUT', 'logging'),
  configuration('CreateBucketMetadataConfiguration', 'POST', 'metadataConfiguration'),
  configuration('GetBucketMetadataConfiguration', 'GET', 'metadataConfiguration'),
  configuration('DeleteBucketMetadataConfiguration', 'DELETE', 'metadataConfiguration'),
  configuration('CreateBucketMetadataTableConfiguration', 'POST', 'metadataTable'),
  configuration('GetBucketMetadataTableConfiguration', 'GET', 'metadataTable'),
  configuration('DeleteBucketMetadataTableConfiguration', 'DELETE', 'metadataTable'),
  configuration('UpdateBucketMetadataAnnotationTableConfiguration', 'PUT', 'metadataAnnotationTable'),
  configuration('UpdateBucketMetadataInventoryTableConfiguration', 'PUT', 'metadataInventoryTable'),
  configuration('UpdateBucketMetadataJournalTableConfiguration', 'PUT', 'metadataJournalTable'),
  configuration('GetBucketNotificationConfiguration', 'GET', 'notification'),
  configuration('PutBucketNotificationConfiguration', 'PUT', 'notification'),
  configuration('GetObjectLockConfiguration', 'GET', 'object-lock'),
  configuration('PutObjectLockConfiguration', 'PUT', 'object-lock'),
  configuration('GetBucketOwnershipControls', 'GET', 'ownershipControls'),
  configuration('PutBucketOwnershipControls', 'PUT', 'ownershipControls'),
  configuration('DeleteBucketOwnershipControls', 'DELETE', 'ownershipControls'),
  configuration('GetBucketPolicy', 'GET', 'policy'),
  configuration('PutBucketPolicy', 'PUT', 'policy'),
  configuration('DeleteBucketPolicy', 'DELETE', 'policy'),
  configuration('GetBucketPolicyStatus', 'GET', 'policyStatus'),
  configuration('GetPublicAccessBlock', 'GET', 'publicAccessBlock'),
  configuration('PutPublicAccessBlock', 'PUT', 'publicAccessBlock'),
  configuration('DeletePublicAccessBlock', 'DELETE', 'publicAccessBlock'),
  configuration('GetBucketReplication', 'GET', 'replication'),
  configuration('PutBucketReplication', 'PUT', 'replication'),
  configuration('DeleteBucketReplication', 'DELETE', 'replication'),
  configuration('GetBucketRequestPayment', 'GET', 'requestPayment'),
  configuration('PutBucketRequestPayment', 'PUT', 'requestPayment'),
  configuration('GetBucketTagging', 'GET', 'tagging'),
  configuration('PutBucketTagging', 'PUT', 'tagging'),
  configuration('DeleteBucketTagging', 'DELETE', 'tagging'),
  configuration('PutBucketVersioning', 'PUT', 'versioning'),
  configuration('GetBucketWebsite', 'GET', 'website'),
  configuration('PutBucketWebsite', 'PUT', 'website'),
  configuration('DeleteBucketWebsite', 'DELETE', 'website'),
]

/** Configurations of which a bucket has many, by id. */
const numbered = (noun: string, parameter: string): readonly Operation[] => [
  row(`ListBucket${noun}Configurations`, 'GET', 'bucket', 'manage', {
    required: [parameter],
    optional: ['continuation-token'],
  }),
  ...(['Get', 'Put', 'Delete'] as const).map((verb) =>
    row(`${verb}Bucket${noun}Configuration`, verb.toUpperCase(), 'bucket', 'manage', {
      required: [parameter, 'id=*'],
      body: verb === 'Put' ? 'opaque' : 'none',
    }),
  ),
]

const NUMBERED: readonly Operation[] = [
  ...numbered('Analytics', 'analytics'),
  ...numbered('IntelligentTiering', 'intelligent-tiering'),
  ...numbered('Inventory', 'inventory'),
  ...numbered('Metrics', 'metrics'),
]

export const BUCKET_OPERATIONS: readonly Operation[] = [...CONTENTS, ...PROBED, ...CONFIGURATION, ...NUMBERED]
