import { BUCKET_OPERATIONS } from './bucket-operations.js'
import { OBJECT_OPERATIONS } from './object-operations.js'
import { type Operation as Row, row } from './operation.js'

export type Operation = Row

const SERVICE_OPERATIONS: readonly Operation[] = [
  row('ListBuckets', 'GET', 'service', 'list', {
    optional: ['max-buckets', 'continuation-token', 'prefix', 'bucket-region'],
  }),
  row('ListDirectoryBuckets', 'GET', 'service', 'list', {
    required: ['max-directory-buckets'],
    optional: ['continuation-token'],
    handling: { refuse: 'Directory buckets are not supported.' },
  }),
]

/**
 * Every operation of the S3 API, forwarded or refused on purpose. A new operation is one row here and one vector in
 * test/vectors/classify.json; what is not in the table does not pass.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export const OPERATIONS: readonly Operation[] = [...SERVICE_OPERATIONS, ...BUCKET_OPERATIONS, ...OBJECT_OPERATIONS]
