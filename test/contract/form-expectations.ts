import type { Expectation } from './expectations.js'

/** Browser forms. Ceph 16 tells the proof of encryption and the ETag in a 201 alone, MinIO the ETag in the header alone. */
export const FORM_EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'PostObject, V4 policy': { aws: '204, in the clear' },
  'PostObject, V2 policy': { aws: '204, in the clear' },
  'PostObject with a customer key': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject with a customer key, V2 policy': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject with a customer key, status 200': {
    aws: '200 proven, encrypted',
    rgw: '200 unproven, encrypted',
    minio: '200 unproven, encrypted',
  },
  'PostObject with a customer key, status 201': { aws: '201 proven, encrypted', minio: '201 unproven, encrypted' },
  'PostObject with a customer key and a redirect': { aws: '303, encrypted' },
  'PostObject, status 201: the document': {
    aws: '201 (bucket) (key), ETag as in HEAD, header ETag as in HEAD, a Location',
    rgw: '201 (bucket) (key), ETag another, header ETag none, no Location',
    minio: '201 (bucket) (key), ETag another, header ETag as in HEAD, a Location',
  },
  'PostObject, no status asked: the answer': {
    aws: '204, 0 bytes, header ETag as in HEAD, a Location',
    rgw: '204, 0 bytes, header ETag none, no Location',
  },
  'PostObject, redirect: where to': {
    aws: '303 http://localhost/done?a=b&bucket=(bucket)&key=(key)&etag=(etag)',
    rgw: '303 http://localhost/done?a=b?bucket=(bucket)&key=(key)&etag=(etag)',
    minio: '303 http://localhost/done?a=b&bucket=(bucket)&etag=(etag)&key=(key)',
  },
  'PostObject, metadata and content type': { aws: 'text/x-test blue no-store', rgw: 'text/x-test blue ' },
  'PostObject, content type of the part alone': { aws: 'binary/octet-stream', minio: 'application/octet-stream' },
  'PostObject, ${filename}': { aws: '204, 200', rgw: '204, 404', minio: '204, 404' },
  'PostObject with SSE-C over plain http': {
    aws: '400 InvalidRequest: Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection., absent',
    rgw: '400 InvalidRequest, absent',
    minio: { cannot: 'no port without TLS beside the one with', answer: 'failed: Error: no plain port' },
  },
  'PostObject, wrong MD5 of the key': {
    aws: '400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that was provided., absent',
    rgw: '400 InvalidArgument, absent',
  },
  'PostObject, key under a starts-with condition': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject, key and MD5 not in the policy': {
    aws: '403 AccessDenied: Invalid according to Policy: Extra input fields: …, absent',
    rgw: '403 AccessDenied: Policy missing condition: x-amz-server-side-encryption-customer-algorithm, absent',
    minio:
      '403 AccessDenied: Access Denied. (Each form field that you specify in a form must appear in the list of policy conditions. "X-Amz-Server-Side-Encryption-Customer-Key-Md5" not specified in the policy.), absent',
  },
  'PostObject, a policy that is no JSON': {
    aws: '400 InvalidPolicyDocument: Invalid Policy: Invalid JSON., absent',
    rgw: '400 InvalidArgument: Malformed JSON, absent',
    minio: "403 PostPolicyInvalidKeyName: Invalid according to Policy: Policy Condition failed '(EOF)', absent",
  },
  'PostObject, white space around the object key': {
    aws: '204, as it is 200, without it 404',
    rgw: '403, as it is 404, without it 404',
  },
  'PostObject, another secret': {
    aws: '403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method., absent',
    rgw: '403 AccessDenied, absent',
  },
  'PostObject, expired policy': {
    aws: '403 AccessDenied: Invalid according to Policy: Policy expired., absent',
    rgw: '403 AccessDenied: Policy expired, absent',
    minio: '403 AccessDenied: Access Denied. (Invalid according to Policy: Policy expired), absent',
  },
  'PostObject, a field that the policy does not name': {
    aws: '403 AccessDenied: Invalid according to Policy: Extra input fields: x-amz-meta-a, absent',
    rgw: '403 AccessDenied: Policy missing condition: x-amz-meta-a, absent',
    minio:
      '403 AccessDenied: Access Denied. (Each form field that you specify in a form must appear in the list of policy conditions. "X-Amz-Meta-A" not specified in the policy.), absent',
  },
  'PostObject, an ignored field': { aws: '204, in the clear' },
  'PostObject, another bucket in the policy': {
    aws: '403 AccessDenied: Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "another-bucket"], absent',
    rgw: '403 AccessDenied: Policy check failed, variable not met condition: bucket, absent',
    minio: '403 AccessDenied: Access Denied. (Invalid according to Policy: Policy Condition failed), absent',
  },
  'PostObject, a condition that fails': {
    aws: '403 AccessDenied: Invalid according to Policy: Policy Condition failed: ["starts-with", "$x-amz-meta-a", "c"], absent',
    rgw: '403 AccessDenied: Policy condition failed: starts-with: $x-amz-meta-a, c, absent',
    minio:
      '403 AccessDenied: Access Denied. (Invalid according to Policy: Policy Condition failed: [starts-with, $x-amz-meta-a, c]), absent',
  },
  'PostObject, too long': {
    aws: '400 EntityTooLarge: Your proposed upload exceeds the maximum allowed size, absent',
    rgw: '400 EntityTooLarge, absent',
    minio: '400 EntityTooLarge: Your proposed upload exceeds the maximum allowed object size., absent',
  },
  'PostObject, too short': {
    aws: '400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed size, absent',
    rgw: '400 EntityTooSmall, absent',
    minio: '400 EntityTooSmall: Your proposed upload is smaller than the minimum allowed object size., absent',
  },
  'PostObject, length in range': { aws: '204, in the clear' },
  'PostObject without key': {
    aws: "400 InvalidArgument: Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields., absent",
    rgw: '400 InvalidArgument: Key not specified, absent',
    minio:
      '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data. (The name of the uploaded key is missing), absent',
  },
  'PostObject without file': {
    aws: '400 InvalidArgument: POST requires exactly one file upload per request., absent',
    rgw: '204, unclear (200)',
    minio:
      '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data. (The file or text content is missing), absent',
  },
  'PostObject with fields after the file': { aws: '204, in the clear' },
  'PostObject with a customer key and an x-ignore field after the file': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject with a customer key and an epilogue': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject, final CRLF missing': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject, last boundary missing': {
    aws: '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data., absent',
    rgw: '204, in the clear',
    minio:
      '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data. (unexpected EOF), absent',
  },
  'PostObject, last boundary cut off': {
    aws: '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data., absent',
    rgw: '204, unclear (200)',
    minio:
      '400 MalformedPOSTRequest: The body of your POST request is not well-formed multipart/form-data. (unexpected EOF), absent',
  },
  'PostObject, an empty file': {
    aws: '204 proven, encrypted',
    rgw: '204 unproven, encrypted',
    minio: '204 unproven, encrypted',
  },
  'PostObject, an object key of the odd kind': {
    aws: '204, 200',
    minio: '400 XMinioInvalidObjectName: Object name contains unsupported characters., 400',
  },
  'PostObject, fields before the file too large': {
    aws: '400 MaxPostPreDataLengthExceeded: Your POST request fields preceding the upload file were too large., absent',
    rgw: '204, in the clear',
    minio: '204, in the clear',
  },
}
