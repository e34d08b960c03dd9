import { type Operation, row } from './operation.js'

const VERSION = ['versionId']
/** GetObject's parameters; the S3 API gives them to HeadObject as well. */
const READING = [
  ...VERSION,
  'partNumber',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
]

const READ = { customerKey: 'target', keyUse: 'read' } as const
const WRITE = { customerKey: 'target', keyUse: 'write', proof: true } as const
const UPLOAD = { customerKey: 'target', keyUse: 'upload' } as const
const FROM_SOURCE = { customerKey: 'target-and-source', selector: 'copy-source', proof: true } as const
const PART = ['partNumber=*', 'uploadId=*']

/** Object data: the operations that take customer keys, and their neighbours. */
const DATA: readonly Operation[] = [
  row('GetObject', 'GET', 'object', 'read', { ...READ, optional: READING, proof: true }),
  row('HeadObject', 'HEAD', 'object', 'read', { ...READ, optional: READING, proof: true }),
  row('GetObjectAttributes', 'GET', 'object', 'read', { ...READ, required: ['attributes'], optional: VERSION }),
  row('SelectObjectContent', 'POST', 'object', 'read', { ...READ, required: ['select', 'select-type=2'], body: 'xml' }),
  row('PutObject', 'PUT', 'object', 'write', { ...WRITE, body: 'object' }),
  row('CopyObject', 'PUT', 'object', 'write', { ...FROM_SOURCE, keyUse: 'write' }),
  row('CreateMultipartUpload', 'POST', 'object', 'write', { ...WRITE, required: ['uploads'] }),
  row('UploadPart', 'PUT', 'object', 'write', { ...UPLOAD, required: PART, body: 'object', proof: true }),
  row('UploadPartCopy', 'PUT', 'object', 'write', { ...FROM_SOURCE, keyUse: 'upload', required: PART }),
  row('CompleteMultipartUpload', 'POST', 'object', 'write', { ...UPLOAD, required: ['uploadId=*'], body: 'xml' }),
  row('ListParts', 'GET', 'object', 'write', {
    ...UPLOAD,
    required: ['uploadId=*'],
    optional: ['max-parts', 'part-number-marker'],
  }),
  row('AbortMultipartUpload', 'DELETE', 'object', 'write', { required: ['uploadId=*'] }),
  row('DeleteObject', 'DELETE', 'object', 'delete', { optional: VERSION }),
  row('RestoreObject', 'POST', 'object', 'write', { required: ['restore'], optional: VERSION, body: 'xml' }),
  row('GetObjectTorrent', 'GET', 'object', 'read', { required: ['torrent'] }),
  row('PreflightObject', 'OPTIONS', 'object', 'none', { optional: 'any' }),
]

const about = (name: string, method: string, parameter: string): Operation =>
  row(name, method, 'object', method === 'GET' ? 'read' : 'write', {
    required: [parameter],
    optional: VERSION,
    body: method === 'PUT' ? 'opaque' : 'none',
  })

/** What S3 keeps beside an object, readable without its key. */
const ABOUT: readonly Operation[] = [
  about('GetObjectAcl', 'GET', 'acl'),
  about('PutObjectAcl', 'PUT', 'acl'),
  about('GetObjectTagging', 'GET', 'tagging'),
  about('PutObjectTagging', 'PUT', 'tagging'),
  about('DeleteObjectTagging', 'DELETE', 'tagging'),
  about('GetObjectRetention', 'GET', 'retention'),
  about('PutObjectRetention', 'PUT', 'retention'),
  about('GetObjectLegalHold', 'GET', 'legal-hold'),
  about('PutObjectLegalHold', 'PUT', 'legal-hold'),
  row('GetObjectAnnotation', 'GET', 'object', 'read', {
    required: ['annotation', 'annotationName=*'],
    optional: VERSION,
  }),
  row('ListObjectAnnotations', 'GET', 'object', 'read', {
    required: ['annotation'],
    optional: [...VERSION, 'max-annotation-results', 'annotation-prefix', 'continuation-token'],
  }),
  row('DeleteObjectAnnotation', 'DELETE', 'object', 'write', {
    required: ['annotation', 'annotationName=*'],
    optional: VERSION,
  }),
]

/** Would write, move or decide the encryption of object data past the customer key. */
const REFUSED: readonly Operation[] = [
  row('AppendObject', 'PUT', 'object', 'write', {
    selector: 'append',
    body: 'object',
    handling: {
      refuse: 'Appending to objects (x-amz-write-offset-bytes) is not supported: S3 takes no customer key for it.',
    },
  }),
  row('PutObjectAnnotation', 'PUT', 'object', 'write', {
    required: ['annotation', 'annotationName=*'],
    optional: VERSION,
    body: 'opaque',
    handling: { refuse: 'Annotations would be stored without the customer key: objects encrypted with one have none.' },
  }),
  row('RenameObject', 'PUT', 'object', 'write', {
    required: ['renameObject'],
    handling: {
      refuse: 'Renaming would part the object from its key, which may depend on its name. Copy and delete it.',
    },
  }),
  row('UpdateObjectEncryption', 'PUT', 'object', 'manage', {
    required: ['encryption'],
    optional: VERSION,
    body: 'opaque',
    handling: { refuse: 'The encryption of objects is decided by the rules of the proxy.' },
  }),
]

export const OBJECT_OPERATIONS: readonly Operation[] = [...DATA, ...ABOUT, ...REFUSED]
