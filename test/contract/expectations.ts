import type { S3Server } from '../support/server.js'
import { FORM_EXPECTATIONS } from './form-expectations.js'
import { MD5_EXPECTATIONS } from './md5-expectations.js'
import { SURFACE_EXPECTATIONS } from './surface-expectations.js'

/** What a server answers, or, where it lacks something, what that is and what it answers instead. */
export type Answer = string | { readonly cannot: string; readonly answer: string }

/**
 * One row: what AWS answers (documented, or recorded by somebody), and what Ceph 16.2.15 and MinIO answered when they were measured,
 * where that is something else. The embedded origin must answer as AWS.
 */
export interface Expectation {
  readonly aws: string
  readonly rgw?: Answer
  readonly minio?: Answer
}

export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  ...FORM_EXPECTATIONS,
  ...MD5_EXPECTATIONS,
  ...SURFACE_EXPECTATIONS,
  'PutObject with a customer key': { aws: '200 proven, encrypted' },
  'PutObject of nothing with a customer key': { aws: '200 proven, encrypted' },
  'PutObject through the SDK, HeadObject and GetObject through the SDK': { aws: 'proven, 4 bytes, a=b, data' },
  'PutObject, wrong MD5 of the key': {
    aws: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The provided SSE-C key MD5 does not match the computed MD5 of the SSE-C key), absent',
  },
  'PutObject, MD5 of the base64 text instead of the bytes': {
    aws: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The provided SSE-C key MD5 does not match the computed MD5 of the SSE-C key), absent',
  },
  'PutObject, key of 16 bytes': {
    aws: '400 InvalidArgument: The secret key was invalid for the specified algorithm., absent',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key., absent',
    minio: '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C client key is invalid), absent',
  },
  'PutObject, key that is no base64': {
    aws: '400 InvalidArgument: The secret key was invalid for the specified algorithm., absent',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key., absent',
    minio: '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C client key is invalid), absent',
  },
  'PutObject, algorithm AES128': {
    aws: '400 InvalidEncryptionAlgorithmError: The encryption request that you specified is not valid. The valid value is AES256., absent',
    rgw: '400 InvalidEncryptionAlgorithmError: The requested encryption algorithm is not valid, must be AES256., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C algorithm is not supported), absent',
  },
  'PutObject, no algorithm': {
    aws: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C algorithm is not supported), absent',
  },
  'PutObject, no key': {
    aws: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C request is missing the customer key), absent',
  },
  'PutObject, no MD5 of the key': {
    aws: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key., absent',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key md5., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C request is missing the customer key MD5), absent',
  },
  'PutObject, algorithm alone': {
    aws: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key., absent',
    minio:
      '400 InvalidArgument: Invalid arguments provided for (object): (The SSE-C request is missing the customer key), absent',
  },
  'PutObject with SSE-C and SSE-S3': {
    aws: '400 InvalidArgument: Server Side Encryption with Customer provided key is incompatible with the encryption method specified, absent',
    rgw: '200, encrypted',
  },
  'PutObject with SSE-C and SSE-KMS': {
    aws: '400 InvalidArgument: Server Side Encryption with Customer provided key is incompatible with the encryption method specified, absent',
    rgw: '200, encrypted',
  },
  'SSE-C over plain http, PutObject': {
    aws: '400 InvalidRequest: Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection., absent',
    rgw: '400 InvalidRequest, absent',
    minio: { cannot: 'no port without TLS beside the one with', answer: 'failed: Error: no plain port' },
  },
  'SSE-C over plain http, GetObject': {
    aws: '400 InvalidRequest: Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
    rgw: '400 InvalidRequest',
    minio: { cannot: 'no port without TLS beside the one with', answer: 'failed: Error: no plain port' },
  },
  'PutObject, SSE-C headers not signed': {
    aws: '403 AccessDenied: There were headers present in the request which were not signed, absent',
    rgw: '200, encrypted',
    minio: '200, encrypted',
  },
  'ETags of the same bytes put twice with a customer key': {
    aws: '32 hex that are not the MD5, different',
    rgw: 'MD5, the same',
  },
  'ETag of a plain object': { aws: 'MD5' },
  'a plain object is overwritten with a customer key': { aws: 'encrypted' },
  'GetObject with its key': { aws: '200 proven, 200 same bytes' },
  'GetObject of an SSE-C object without key': {
    aws: '400 InvalidRequest: The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  },
  'GetObject of an SSE-C object with another key': {
    aws: '403 AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    rgw: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided.',
    minio: '403 AccessDenied: Access Denied.',
  },
  'HeadObject with its key': { aws: '200 proven' },
  'HeadObject of an SSE-C object without key': { aws: '400' },
  'HeadObject of an SSE-C object with another key': { aws: '403', rgw: '400' },
  'GetObject of a plain object with a key': {
    aws: '400 InvalidRequest: The encryption parameters are not applicable to this object.',
    rgw: '200 unproven',
  },
  'HeadObject of a plain object with a key': { aws: '400', rgw: '200 unproven' },
  'GetObject, x-amz-server-side-encryption beside the key': {
    aws: '400 InvalidArgument: x-amz-server-side-encryption header is not supported for this operation.',
    rgw: '400 InvalidRequest',
    minio: '400 BadRequest: 400 BadRequest',
  },
  'GetObject, key not signed': {
    aws: '403 AccessDenied: There were headers present in the request which were not signed',
    rgw: '200 proven',
    minio: '200 proven',
  },
  'a key that is not the object’s, where there is no object': {
    aws: '404 NoSuchKey: The specified key does not exist.',
    rgw: '404 NoSuchKey',
  },
  'ranges of an SSE-C object': {
    aws: '206 T|bytes 0-0/75; 206  f|bytes 15-16/75; 206 ox jumps over the lazy d|bytes 17-40/75; 206 luck.|bytes 70-74/75; 206  more for luck.|bytes 60-74/75; 206 luck.|bytes 70-74/75; 416',
  },
  'conditional reads of an SSE-C object': { aws: '200 412 304 200 412 200' },
  'response overrides and metadata of an SSE-C object': { aws: 'text/x-own max-age=1 blue; text/other no-store blue' },
  'GetObjectAttributes with its key': {
    aws: '200 75',
    rgw: { cannot: 'no GetObjectAttributes: it answers with the object', answer: '200 ' },
  },
  'GetObjectAttributes of an SSE-C object without key': {
    aws: '400 InvalidRequest: The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  },
  'GetObjectAttributes of an SSE-C object with another key': {
    aws: '403 AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    rgw: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided.',
    minio: '200',
  },
  'deleting, tagging and listing an SSE-C object need no key': { aws: '200 b 75 204' },
  'a multipart upload with a customer key': {
    aws: '200 proven, 200 proven, 200 proven, 200 ETag with -2, 200 same bytes, 206 same bytes, encrypted',
    rgw: '200 proven, 200 proven, 200 proven, 200 no ETag, 200 same bytes, 206 same bytes, encrypted',
    minio: '200 unproven, 200 proven, 200 proven, 200 ETag with -2, 200 same bytes, 206 same bytes, encrypted',
  },
  'a multipart upload of the SDK with a customer key': { aws: '200 same bytes' },
  'UploadPart with the key given at create': { aws: '200 proven' },
  'UploadPart, another key than at create': {
    aws: '400 InvalidRequest: The provided encryption parameters did not match the ones used originally.',
    rgw: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided.',
    minio: '403 AccessDenied: Access Denied.',
  },
  'UploadPart without key, created with one': {
    aws: '400 InvalidRequest: The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  },
  'UploadPart with a key, created without': {
    aws: '400 InvalidRequest: The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.',
    rgw: '200 unproven',
    minio: '200 unproven',
  },
  'CompleteMultipartUpload of parts with checksums, with the key': { aws: '200' },
  'CompleteMultipartUpload of parts with checksums, without key': {
    aws: '400 InvalidRequest: The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    rgw: '200',
    minio:
      '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
  },
  'CompleteMultipartUpload of parts with checksums, another key': {
    aws: '400 InvalidRequest: The provided encryption parameters did not match the ones used originally.',
    rgw: '200',
    minio: '403 AccessDenied: Access Denied.',
  },
  'ListParts of parts with checksums, with the key': { aws: '200' },
  'ListParts of parts with checksums, without key': {
    aws: '400 InvalidRequest: The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    rgw: '200',
    minio: '200',
  },
  'UploadPart with a checksum that the upload was not created for': {
    aws: '400 InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: sha256',
    rgw: '200',
    minio: '200',
  },
  'parts of an SSE-C object by number': {
    aws: '206 same bytes, 2, bytes 5242880-5242892/5242893, 416',
    rgw: { cannot: 'no reads by part number', answer: '200 other bytes, no count, no range, 200' },
  },
  'a part is uploaded again with other bytes': { aws: '400 InvalidPart, 200, 200 same bytes' },
  'CompleteMultipartUpload with bare ETags': { aws: '200' },
  'CompleteMultipartUpload that leaves a part out': { aws: '200', rgw: '400 InvalidPart' },
  'CompleteMultipartUpload, another ETag': {
    aws: "400 InvalidPart: One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    rgw: '400 InvalidPart',
    minio:
      "400 InvalidPart: One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  },
  'CompleteMultipartUpload, a part that is not there': {
    aws: "400 InvalidPart: One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    rgw: '400 InvalidPart',
    minio:
      "400 InvalidPart: One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  },
  'CompleteMultipartUpload, parts in the wrong order': {
    aws: '400 InvalidPartOrder: The list of parts was not in ascending order. Parts must be ordered by part number.',
    rgw: '400 EntityTooSmall',
    minio:
      '400 InvalidPartOrder: The list of parts was not in ascending order. The parts list must be specified in order by part number.',
  },
  'CompleteMultipartUpload, a first part under 5 MiB': {
    aws: '400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size',
    rgw: '400 EntityTooSmall',
    minio: '400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed object size.',
  },
  'CompleteMultipartUpload of an upload that is not there': {
    aws: '404 NoSuchUpload: The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    rgw: '500 InternalError: This multipart completion is already in progress',
    minio:
      '404 NoSuchUpload: The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  },
  AbortMultipartUpload: { aws: '204, 404 NoSuchUpload, absent', rgw: '204, 404 NoSuchKey, absent' },
  'ListMultipartUploads and pages of ListParts': { aws: '1+2 true 2 5, listed' },
  'UploadPart number 10001': {
    aws: '400 InvalidArgument: Part number must be an integer between 1 and 10000, inclusive',
    rgw: '200',
  },
  'a plain multipart upload has an MD5 of MD5s as ETag': { aws: 'MD5 of MD5s -1' },
  'an upload does not touch the object until it is completed': { aws: '200 same bytes' },
  'CopyObject SSE-C source to SSE-C target, both keys': {
    aws: '200 proven, encrypted, opens with the key',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented, absent' },
    minio: '200 unproven, encrypted, opens with the key',
  },
  'CopyObject SSE-C source to plain target': {
    aws: '200, in the clear',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented, absent' },
  },
  'CopyObject plain source to SSE-C target': {
    aws: '200 proven, encrypted, opens with the key',
    rgw: {
      cannot: 'no copies with customer keys: it stores in the clear and says 200',
      answer: '200 unproven, in the clear, opens with the key',
    },
    minio: '200 unproven, encrypted, opens with the key',
  },
  'CopyObject plain source to plain target': { aws: '200, in the clear' },
  'CopyObject from an SSE-C source without its key': {
    aws: '400 InvalidRequest: The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object., absent',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented, absent' },
    minio: '403 AccessDenied: Access Denied., absent',
  },
  'CopyObject from an SSE-C source with another key': {
    aws: '403 AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key., absent',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented, absent' },
    minio: '403 AccessDenied: Access Denied., absent',
  },
  'CopyObject from a plain source with a copy-source key': {
    aws: '400 InvalidRequest: The encryption parameters are not applicable to this object., absent',
    rgw: {
      cannot: 'no copies with customer keys: it stores in the clear and says 200',
      answer: '200 unproven, in the clear, opens with the key',
    },
  },
  'CopyObject of an SSE-C object onto itself under a new key': {
    aws: '200 proven, old key 403, new key 200 same bytes b',
    rgw: {
      cannot: 'no copies with customer keys',
      answer:
        "400 InvalidRequest: This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    },
    minio: '200 unproven, old key 403, new key 200 same bytes b',
  },
  'CopyObject of a plain object onto itself without a change': {
    aws: "400 InvalidRequest: This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  },
  'CopyObject, headers kept and replaced': { aws: 'text/x-one b -; text/x-two - d' },
  'CopyObject, conditions on the source': {
    aws: '200 412 412 412',
    rgw: { cannot: 'no conditions on the source: they are ignored', answer: '200 200 200 200' },
  },
  'CopyObject from a source that is not there': {
    aws: '404 NoSuchKey: The specified key does not exist.',
    rgw: '404 NoSuchKey',
  },
  'CopyObject of a source with an odd name': { aws: '200, in the clear' },
  'UploadPartCopy, all and a range, from an SSE-C source into an SSE-C upload': {
    aws: '200 proven, 200 proven, 200 same bytes',
    rgw: {
      cannot: 'no copies with customer keys',
      answer: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided.',
    },
    minio: '200 unproven, 200 unproven, 200 same bytes',
  },
  'UploadPartCopy from an SSE-C source without its key': {
    aws: '400 InvalidRequest: The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    rgw: '400 InvalidArgument: Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  },
  'UploadPartCopy, another key than at create': {
    aws: '400 InvalidRequest: The provided encryption parameters did not match the ones used originally.',
    rgw: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided.',
    minio: '403 AccessDenied: Access Denied.',
  },
  'UploadPartCopy, a range past the end': {
    aws: '400 InvalidArgument: Range specified is not valid for source object of size: 14',
    rgw: '416 InvalidRange',
    minio: '400 InvalidArgument: Range specified is not valid for source object',
  },
  'no signature': {
    aws: '403 AccessDenied: Access Denied, absent',
    rgw: '403 AccessDenied, absent',
    minio: '403 AccessDenied: Access Denied., absent',
  },
  'an unknown access key': {
    aws: '403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records., absent',
    rgw: '403 InvalidAccessKeyId, absent',
    minio: '403 InvalidAccessKeyId: The Access Key Id you provided does not exist in our records., absent',
  },
  'another secret': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
  },
  'a clock 20 minutes behind': {
    aws: '403 RequestTimeTooSkewed: The difference between the request time and the current time is too large., absent',
    rgw: '403 RequestTimeTooSkewed, absent',
    minio:
      "403 RequestTimeTooSkewed: The difference between the request time and the server's time is too large., absent",
  },
  'a clock 10 minutes behind': { aws: '200, in the clear' },
  'a region that is not the bucket’s': {
    aws: "400 AuthorizationHeaderMalformed: The authorization header is malformed; the region 'eu-central-1' is wrong; expecting 'us-east-1', expecting us-east-1",
    rgw: '200, expecting ',
    minio: '200, expecting ',
  },
  'an x-amz-* header that is not signed': {
    aws: '403 AccessDenied: There were headers present in the request which were not signed, absent',
    rgw: '200, in the clear',
    minio: '200, in the clear',
  },
  'a path that was changed after signing': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    rgw: '403 SignatureDoesNotMatch',
  },
  'a query that was added after signing': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    rgw: '403 SignatureDoesNotMatch',
  },
  'SignatureDoesNotMatch tells what was to be signed': {
    aws: 'SignatureDoesNotMatch, StringToSign and CanonicalRequest',
    rgw: 'SignatureDoesNotMatch, nothing',
    minio: 'SignatureDoesNotMatch, nothing',
  },
  'version 2: PutObject': { aws: '200, in the clear' },
  'version 2: PutObject with a customer key': { aws: '200 proven, encrypted' },
  'version 2: x-amz-date in place of Date': {
    aws: '200, in the clear',
    minio:
      '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
  },
  'version 2: an unknown access key': {
    aws: '403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records., absent',
    rgw: '403 InvalidAccessKeyId, absent',
    minio: '403 InvalidAccessKeyId: The Access Key Id you provided does not exist in our records., absent',
  },
  'version 2: another secret': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
  },
  'version 2: a clock 20 minutes behind': {
    aws: '403 RequestTimeTooSkewed: The difference between the request time and the current time is too large., absent',
    rgw: '403 RequestTimeTooSkewed, absent',
    minio:
      "403 RequestTimeTooSkewed: The difference between the request time and the server's time is too large., absent",
  },
  'version 2: no date': {
    aws: '403 AccessDenied: AWS authentication requires a valid Date or x-amz-date header, absent',
    rgw: '403 AccessDenied, absent',
    minio: '400 AccessDenied: AWS authentication requires a valid Date or x-amz-date header, absent',
  },
  'version 2: a header without a signature': {
    aws: '400 InvalidArgument: AWS authorization header is invalid.  Expected AwsAccessKeyId:signature, absent',
    rgw: '400 InvalidArgument, absent',
    minio: '400 MissingFields: Missing fields in request., absent',
  },
  'version 2: an x-amz-* header that is not signed': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
  },
  'version 2: a Content-Type that is not signed': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
  },
  'version 2: a sub-resource that is not signed': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
    minio: '500 InternalError: We encountered an internal error, please try again.: cause(EOF), absent',
  },
  'version 2: a parameter of a listing that is not signed': { aws: '200, the object' },
  'version 2: a bucket without its slash, signed with it': {
    aws: '200',
    rgw: '403 SignatureDoesNotMatch',
    minio:
      '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  },
  'version 2: a bucket without its slash, signed without it': { aws: '200' },
  'version 2: a multipart upload': { aws: '200, 200, 200, in the clear' },
  'version 2: an upload id that was exchanged after signing': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., nothing to complete',
    rgw: '403 SignatureDoesNotMatch, nothing to complete',
  },
  'version 2: SignatureDoesNotMatch tells what was to be signed': {
    aws: 'SignatureDoesNotMatch, "GET\\n\\n\\n(date)\\n/(object)"',
    rgw: 'SignatureDoesNotMatch, nothing',
    minio: 'SignatureDoesNotMatch, nothing',
  },
  'version 2: a presigned GetObject': { aws: '200 same bytes' },
  'version 2: a presigned GetObject that has expired': {
    aws: '403 AccessDenied: Request has expired',
    rgw: '403 AccessDenied',
  },
  'version 2: a presigned GetObject of another secret': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    rgw: '403 SignatureDoesNotMatch',
  },
  'version 2: a presigned GetObject whose end was moved': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    rgw: '403 SignatureDoesNotMatch',
  },
  'version 2: a presigned GetObject as DeleteObject': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., in the clear',
    rgw: '403 SignatureDoesNotMatch, in the clear',
  },
  'version 2: a presigned GetObject without Expires': {
    aws: '403 AccessDenied: Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    rgw: '403 AccessDenied',
    minio:
      '400 AuthorizationQueryParametersError: Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
  },
  'version 2: a presigned GetObject with another Content-Type in its answer': { aws: '200, text/x;a="b c"' },
  'version 2: a presigned PutObject with x-amz-meta-* in its query': {
    aws: '200, light blue',
    minio:
      '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., no colour',
  },
  'version 2: a presigned PutObject, x-amz-meta-* added to its query': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., no colour',
    rgw: '403 SignatureDoesNotMatch, no colour',
    minio: '200, light blue',
  },
  'version 2: a presigned PutObject with a customer key': { aws: '200 proven, encrypted' },
  'version 2: a presigned GetObject beside a version-4 header': {
    aws: '400 InvalidArgument: Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    rgw: '200',
    minio: '400 InvalidRequest: Invalid Request (request has multiple authentication types, please use one)',
  },
  'version 2: virtual-hosted style': { aws: '200 same bytes' },
  'a presigned GetObject of a plain object': { aws: '200 same bytes' },
  'a presigned PutObject': { aws: '200, in the clear' },
  'a presigned GetObject of an SSE-C object, its headers signed': { aws: '200 same bytes' },
  'a presigned GetObject of an SSE-C object, its headers not signed': {
    aws: '403 AccessDenied: There were headers present in the request which were not signed',
    rgw: '200 same bytes',
    minio: '200 same bytes',
  },
  'a presigned request that has expired': { aws: '403 AccessDenied: Request has expired', rgw: '403 AccessDenied' },
  'a presigned request with another signature': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    rgw: '403 SignatureDoesNotMatch',
  },
  'virtual-hosted style': { aws: '200 same bytes' },
  'payload: its hash': { aws: '200, 200 same bytes' },
  'payload: another hash': {
    aws: "400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed., absent",
    rgw: '400 XAmzContentSHA256Mismatch, absent',
  },
  'payload: unsigned': { aws: '200, 200 same bytes' },
  'payload: something unknown': {
    aws: '400 InvalidArgument: x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value., absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio:
      "400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed., absent",
  },
  'payload: signed chunks': { aws: '200, 200 same bytes', rgw: '200, 200 same bytes, Content-Encoding aws-chunked' },
  'payload: signed chunks, one byte flipped': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 SignatureDoesNotMatch, absent',
  },
  'payload: signed chunks, the last one missing': {
    aws: '400 IncompleteBody: The request body terminated unexpectedly, absent',
    rgw: '200, 200 same bytes, Content-Encoding aws-chunked',
    minio: '400 BadRequest: malformed chunked encoding, absent',
  },
  'payload: signed chunks and a content coding of its own': {
    aws: '200, 200 same bytes, Content-Encoding gzip',
    rgw: '200, 200 same bytes, Content-Encoding aws-chunked,gzip',
  },
  'payload: signed chunks with a signed trailer': {
    aws: '200, 200 same bytes',
    rgw: { cannot: 'no checksums in trailers', answer: '400 XAmzContentSHA256Mismatch, absent' },
  },
  'payload: signed chunks with a signed trailer that is wrong': {
    aws: '400 BadDigest: The CRC32 you specified did not match the calculated checksum., absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio:
      "400 XAmzContentChecksumMismatch: The provided 'x-amz-checksum' header does not match what was computed., absent",
  },
  'payload: unsigned with a trailer': {
    aws: '200, 200 same bytes',
    rgw: { cannot: 'no checksums in trailers', answer: '400 XAmzContentSHA256Mismatch, absent' },
  },
  'payload: unsigned with a trailer, no Content-Length': {
    aws: '200, 200 same bytes',
    rgw: { cannot: 'no checksums in trailers', answer: '411 MissingContentLength, absent' },
  },
  'payload: unsigned and of unknown length': {
    aws: '501 NotImplemented: A header you provided implies functionality that is not implemented, absent',
    rgw: '411 MissingContentLength, absent',
    minio: '411 MissingContentLength: You must provide the Content-Length HTTP header., absent',
  },
  'payload: unsigned with a trailer, one byte flipped': {
    aws: '400 BadDigest: The CRC32 you specified did not match the calculated checksum., absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio:
      "400 XAmzContentChecksumMismatch: The provided 'x-amz-checksum' header does not match what was computed., absent",
  },
  'payload: unsigned, the promised trailer missing': {
    aws: '400 MalformedTrailerError: The request contained trailing data that was not well-formed or did not conform to our published schema., absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio: '400 BadRequest: malformed chunked encoding, absent',
  },
  'payload: unsigned with a trailer, the decoded length a lie': {
    aws: '400 IncompleteBody: The request body terminated unexpectedly, absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio:
      '400 IncompleteBody: You did not provide the number of bytes specified by the Content-Length HTTP header., absent',
  },
  'payload: chunks of less than 8 KiB': {
    aws: '403 InvalidChunkSizeError: Only the last chunk is allowed to have a size less than 8192 bytes, absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio: '200, 200 same bytes',
  },
  'payload: SigV4A chunks': {
    aws: '501 NotImplemented: A header you provided implies functionality that is not implemented, absent',
    rgw: '400 XAmzContentSHA256Mismatch, absent',
    minio:
      "400 XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match what was computed., absent",
  },
  'Content-MD5 that fits': { aws: '200, 200 same bytes' },
  'Content-MD5 of something else': {
    aws: '400 BadDigest: The Content-MD5 you specified did not match what we received., absent',
    rgw: '400 BadDigest, absent',
    minio: '400 BadDigest: The Content-Md5 you specified did not match what we received., absent',
  },
  'Content-MD5 that is none': {
    aws: '400 InvalidDigest: The Content-MD5 you specified was invalid., absent',
    rgw: '400 InvalidDigest, absent',
    minio: '400 InvalidDigest: The Content-Md5 you specified is not valid., absent',
  },
  'a checksum header that fits': { aws: '200, 200 same bytes' },
  'a checksum header of something else': {
    aws: '400 BadDigest: The CRC32 you specified did not match the calculated checksum., absent',
    rgw: { cannot: 'no additional checksums: the header is ignored', answer: '200, 200 same bytes' },
    minio:
      "400 XAmzContentChecksumMismatch: The provided 'x-amz-checksum' header does not match what was computed., absent",
  },
  'a checksum of an SSE-C object is given back': {
    aws: 'the same',
    rgw: { cannot: 'no additional checksums', answer: 'none' },
  },
  'odd object keys are kept byte for byte': {
    aws: 'all',
    minio: {
      cannot: 'object keys are paths: no empty, . or .. segments',
      answer: 'failed: a//b 400 400 a/./b 400 400 a/../b 400 400 unlisted: a//b a/./b a/../b',
    },
  },
  'an object key of 1024 bytes, and of 1025': {
    aws: '200, 400 KeyTooLongError: Your key is too long',
    rgw: '200, 400 InvalidObjectName',
  },
  'ListObjects and ListObjectsV2 with prefix, delimiter and pages': { aws: 'a b/ | c d/; a b/ | c d/' },
  DeleteObjects: { aws: '200 2 deleted, 404' },
  'GetObject where there is none': { aws: '404 NoSuchKey: The specified key does not exist.', rgw: '404 NoSuchKey' },
  'HeadObject where there is none': { aws: '404' },
  'PutObject into a bucket that is not there': {
    aws: '404 NoSuchBucket: The specified bucket does not exist',
    rgw: '404 NoSuchBucket',
  },
  'HeadBucket, GetBucketLocation, GetBucketVersioning': {
    aws: '200 us-east-1, 200 "", Enabled',
    rgw: '200 no region, 200 "default", Enabled',
    minio: '200 no region, 200 "", Enabled',
  },
  'a bucket is made, is not deleted while it has objects, and is deleted': { aws: '200, 409 BucketNotEmpty, 204' },
  'PutObject if there is none yet, and if it is the one': {
    aws: '200, 412 PreconditionFailed, 200, 412 PreconditionFailed',
    rgw: '200, 412 PreconditionFailed, 412 PreconditionFailed, 412 PreconditionFailed',
  },
  'an operation that nobody built': { aws: '501', rgw: '404' },
  'each version has its own key': {
    aws: '200 same bytes, 200 same bytes, 403 AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key., 200 same bytes',
    rgw: '200 same bytes, 200 same bytes, 400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided., 200 same bytes',
    minio: '200 same bytes, 200 same bytes, 403 AccessDenied: Access Denied., 200 same bytes',
  },
  'a copy of an older version takes that version’s key': {
    aws: '200 proven, source named, 200 same bytes',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented' },
    minio: '200 unproven, source named, 200 same bytes',
  },
  'a delete marker hides and uncovers an SSE-C object': {
    aws: '204 marker true, 404 NoSuchKey marker true, 405, 200 same bytes',
    rgw: '204 marker true, 404 NoSuchKey marker no, 404, 200 same bytes',
  },
  'ListObjectVersions names versions and markers, newest first': {
    aws: 'named, marker, sizes 5 3',
    minio: 'named, marker, sizes 0 5 3',
  },
  'GetObject of a version that is not there': {
    aws: '404 NoSuchVersion: The specified version does not exist.',
    rgw: '404 NoSuchKey',
  },
  'writes and reads while SSE-C is blocked on the bucket': {
    aws: '403 AccessDenied: Access Denied; 403 AccessDenied: Access Denied; 403 AccessDenied: Access Denied; 200; 200; shown SSE-C; lifted 200',
    rgw: { cannot: 'no such setting', answer: '400 InvalidArgument' },
    minio: {
      cannot: 'no such setting',
      answer: '501 NotImplemented: Server side encryption specified but KMS is not configured',
    },
  },
}

export function expected(name: string, server: S3Server['name']): Answer | 'no expectation' {
  const row = EXPECTATIONS[name]
  if (row === undefined) return 'no expectation'
  if (server === 'origin') return row.aws
  return row[server] ?? row.aws
}
