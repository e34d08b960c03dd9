import t from 'tap'
import { OPERATIONS } from '../../src/s3/operations.js'
import { SUB_RESOURCES, unsignedSelector } from '../../src/sigv2/sub-resources.js'

/** Parameters that version 2 does not sign and that the proxy lets change all the same, as S3: each one was thought about. */
const OPEN: Readonly<Record<string, string>> = {
  prefix: 'lists other objects, within the grants',
  delimiter: 'lists in another form',
  'encoding-type': 'lists in another form',
  'max-keys': 'lists less or more',
  marker: 'lists from elsewhere, within the prefix',
  'continuation-token': 'goes on elsewhere',
  'start-after': 'lists from elsewhere, within the prefix',
  'fetch-owner': 'lists owners too',
  'key-marker': 'lists from elsewhere, within the prefix',
  'version-id-marker': 'lists from elsewhere, within the prefix',
  'upload-id-marker': 'lists from elsewhere, within the prefix',
  'max-uploads': 'lists less or more',
  'max-parts': 'lists less or more',
  'part-number-marker': 'lists from elsewhere',
  'max-buckets': 'lists less or more',
  'bucket-region': 'lists less',
}

t.test('every parameter of a forwarded operation is signed, refused, or was thought about', (t) => {
  for (const { name, required, optional, handling } of OPERATIONS) {
    if (handling !== 'forward' || optional === 'any' || unsignedSelector(required) !== 'none') continue
    for (const parameter of optional)
      t.ok(SUB_RESOURCES.has(parameter) || parameter in OPEN, `${name} takes ${parameter}`)
  }
  t.end()
})

t.test('operations that version 2 cannot cover', (t) => {
  const refused = OPERATIONS.filter(({ required }) => unsignedSelector(required) !== 'none').map(({ name }) => name)
  for (const name of [
    'GetObjectAttributes',
    'PutObjectAnnotation',
    'RenameObject',
    'PutBucketInventoryConfiguration',
  ]) {
    t.ok(refused.includes(name), name)
  }
  for (const name of [
    'ListObjectsV2',
    'GetObject',
    'PutObject',
    'CopyObject',
    'CreateMultipartUpload',
    'UploadPart',
    'CompleteMultipartUpload',
    'AbortMultipartUpload',
    'ListParts',
    'SelectObjectContent',
    'DeleteObjects',
    'GetObjectTagging',
    'PutObjectAcl',
    'RestoreObject',
    'GetBucketLocation',
    'PutObjectLegalHold',
    'PutObjectRetention',
  ]) {
    t.notOk(refused.includes(name), name)
  }
  t.equal(unsignedSelector(['attributes']), 'attributes')
  t.equal(unsignedSelector(['inventory', 'id=*']), 'id')
  t.equal(unsignedSelector(['list-type=2']), 'none')
  t.end()
})
