import type { Expectation } from './expectations.js'

/**
 * Object lock, archives, selects, CORS, website redirects, pages of buckets. AWS's side is what its documentation says, and the texts that people
 * quote from it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors-troubleshooting.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (redirects are not copied)
 */
export const SURFACE_EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'a website redirect of an SSE-C object is shown, not followed; a copy leaves it behind': {
    aws: '200 same bytes https://example.com/there?a=b, 200 none',
    rgw: '200 same bytes https://example.com/there?a=b, 200 /there',
    minio: { cannot: 'no website redirects: it drops them', answer: '200 same bytes none, 200 none' },
  },
  'a website redirect that is no place': {
    aws: "400 InvalidRedirectLocation: The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    rgw: '200',
    minio: '200',
  },
  'ListBuckets with a prefix, in pages of two': {
    aws: '1 2 | 3',
    rgw: { cannot: 'no pages of buckets and no prefix: it answers with all', answer: '1 2 3 and others' },
    minio: { cannot: 'no pages of buckets and no prefix: it answers with all', answer: '1 2 3 and others' },
  },
  'ListBuckets in pages of none, and of 10001': {
    aws: '400 InvalidArgument: Argument max-buckets must be an integer between 1 and 10000, 400 InvalidArgument: Argument max-buckets must be an integer between 1 and 10000',
    rgw: { cannot: 'no pages of buckets and no prefix: it answers with all', answer: '200, 200' },
    minio: { cannot: 'no pages of buckets and no prefix: it answers with all', answer: '200, 200' },
  },
  'a bucket with object lock has versions and says so': { aws: '200 Enabled, Enabled' },
  'GetObjectLockConfiguration of a bucket without': {
    aws: '404 ObjectLockConfigurationNotFoundError: Object Lock configuration does not exist for this bucket',
    rgw: '404 ObjectLockConfigurationNotFoundError',
  },
  'GetObjectRetention and GetObjectLegalHold where none was set': {
    aws: '404 NoSuchObjectLockConfiguration: The specified object does not have a ObjectLock configuration, 404 NoSuchObjectLockConfiguration',
    rgw: '404 ObjectLockConfigurationNotFoundError, 404 ObjectLockConfigurationNotFoundError',
    minio:
      '400 NoSuchObjectLockConfiguration: The specified object does not have a ObjectLock configuration, 400 NoSuchObjectLockConfiguration',
  },
  'PutObjectRetention in a bucket without object lock': {
    aws: '400 InvalidRequest: Bucket is missing Object Lock Configuration',
    rgw: "400 InvalidRequest: object retention can't be set if bucket object lock not configured",
    minio: '400 InvalidRequest: Bucket is missing ObjectLockConfiguration',
  },
  'PutObjectLegalHold in a bucket without object lock': {
    aws: '400 InvalidRequest: Bucket is missing Object Lock Configuration',
    rgw: "400 InvalidRequest: object legal hold can't be set if bucket object lock not enabled",
    minio: '400 InvalidRequest: Bucket is missing ObjectLockConfiguration',
  },
  'PutObjectRetention until a time that has passed': {
    aws: '400 InvalidArgument: The retain until date must be in the future!',
    rgw: '400 InvalidArgument: the retain-until date must be in the future',
    minio: '400 MalformedXML: the retain until date must be in the future',
  },
  'GOVERNANCE keeps a version of an SSE-C object until it is bypassed': {
    aws: '200, 403 AccessDenied, 403 AccessDenied, 200, 200; 200 same bytes GOVERNANCE its time; 204',
    minio: '200, 400 InvalidRequest, 400 InvalidRequest, 200, 200; 200 same bytes GOVERNANCE its time; 204',
  },
  'COMPLIANCE is not bypassed, only prolonged': {
    aws: '200, 403 AccessDenied, 403 AccessDenied, 200, 403 AccessDenied',
    minio: '200, 400 InvalidRequest, 400 InvalidRequest, 200, 400 InvalidRequest',
  },
  'a legal hold keeps a version, whatever is bypassed, until it is taken off': {
    aws: '200 ON, 403 AccessDenied, 200 OFF, 204',
    minio: '200 ON, 400 InvalidRequest, 200 OFF, 204',
  },
  'a locked object can be hidden and overwritten, not removed': { aws: '204 true, 200 same bytes' },
  'PutObject with a customer key, retention and a legal hold': { aws: 'GOVERNANCE ON' },
  'PutObject with retention and no checksum of its body': {
    aws: '400 InvalidRequest: Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    rgw: '200',
    minio: '200',
  },
  'PutObject with retention in a bucket without object lock': {
    aws: '400 InvalidRequest: Bucket is missing Object Lock Configuration',
    rgw: '400 InvalidRequest',
    minio: '400 InvalidRequest: Bucket is missing ObjectLockConfiguration',
  },
  'RestoreObject of an object that is in no archive': {
    aws: "403 InvalidObjectState: Restore is not allowed for the object's current storage class",
    rgw: { cannot: 'no RestoreObject', answer: '501 NotImplemented' },
    minio: '403 InvalidObjectState: The operation is not valid for the current state of the object.',
  },
  'RestoreObject where there is none': {
    aws: '404 NoSuchKey: The specified key does not exist.',
    rgw: { cannot: 'no RestoreObject', answer: '501 NotImplemented' },
  },
  'an archived SSE-C object is not read until it is restored': {
    aws: '200, 403 InvalidObjectState, 202',
    rgw: { cannot: 'no storage class GLACIER', answer: '400 InvalidArgument, 404 NoSuchKey, 501 NotImplemented' },
    minio: {
      cannot: 'no storage class GLACIER',
      answer: '400 InvalidStorageClass: Invalid storage class., 404 NoSuchKey, 404 NoSuchKey',
    },
  },
  'SelectObjectContent of an SSE-C object with its key': {
    aws: '200 1 2 3',
    rgw: {
      cannot: 'this SQL: it has a dialect of its own',
      answer:
        '200 <Payload> <Records> <Payload> failure -->SELECT s._2 FROM S3Object s<--- </Payload></Records></Payload>',
    },
  },
  'SelectObjectContent of a plain object': {
    aws: '200 1 2 3',
    rgw: {
      cannot: 'this SQL: it has a dialect of its own',
      answer:
        '200 <Payload> <Records> <Payload> failure -->SELECT s._2 FROM S3Object s<--- </Payload></Records></Payload>',
    },
  },
  'SelectObjectContent of an SSE-C object without key': {
    aws: '400 InvalidRequest: The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    rgw: {
      cannot: 'answers to selects with a wrong key that are HTTP',
      answer: 'no HTTP',
    },
  },
  'SelectObjectContent of an SSE-C object with another key': {
    aws: '403 AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    rgw: {
      cannot: 'answers to selects with a wrong key that are HTTP',
      answer: 'no HTTP',
    },
    minio: '403 AccessDenied: Access Denied.',
  },
  'SelectObjectContent where there is none': {
    aws: '404 NoSuchKey: The specified key does not exist.',
    rgw: '404 NoSuchKey',
  },
  'SelectObjectContent without an expression': {
    aws: '400 MissingRequiredParameter: The SelectRequest entity is missing a required parameter. Check the service documentation and try again.',
    rgw: '200',
    minio: '400 InvalidExpressionType: The ExpressionType is invalid. Only SQL expressions are supported.',
  },
  'GetBucketCors where none was set': {
    aws: '404 NoSuchCORSConfiguration: The CORS configuration does not exist',
    rgw: '404 NoSuchCORSConfiguration',
  },
  'CORS rules are put, shown and deleted': {
    aws: 'https://app.example.com, 204, NoSuchCORSConfiguration',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a preflight where there is no CORS': {
    aws: '403 AccessForbidden: CORSResponse: CORS is not enabled for this bucket.',
    rgw: '403 AccessDenied',
    minio: '204 https://app.example.com GET - - - true',
  },
  'a preflight that a rule allows': {
    aws: '200 https://app.example.com GET, PUT x-amz-date, x-amz-meta-a ETag 600 true',
    rgw: '200 https://app.example.com PUT x-amz-date,x-amz-meta-a ETag 600 -',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a preflight of another page': {
    aws: "403 AccessForbidden: CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    rgw: '403 AccessDenied',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a preflight for a method that no rule has': {
    aws: "403 AccessForbidden: CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    rgw: '403 AccessDenied',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a preflight for a header that no rule has': {
    aws: "403 AccessForbidden: CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    rgw: '403 AccessDenied',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a preflight without Origin': {
    aws: '400 BadRequest: Insufficient information. Origin request header needed.',
    rgw: '400 InvalidArgument',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
  'a read of an SSE-C object with an Origin, and of another page': {
    aws: '200 https://app.example.com GET, PUT - ETag 600 true; 200 - - - - - -',
    rgw: '200 https://app.example.com GET - ETag 600 -; 200 - - - - - -',
    minio: {
      cannot: 'no CORS rules of buckets: it has one for all',
      answer:
        'failed: Error: no CORS: 501 NotImplemented: A header you provided implies functionality that is not implemented',
    },
  },
}
