import type { Expectation } from './expectations.js'

/**
 * Of MD5 as an additional checksum. What AWS answers is documented for MD5, and seen for the other checksums; nobody has
 * recorded it for MD5 under a customer key, which is why the proxy asks before it relies on it.
 */
export const MD5_EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'x-amz-checksum-md5': { aws: '200, the MD5 the MD5 the MD5 none none, same bytes' },
  'x-amz-checksum-md5 beside Content-MD5': { aws: '200, the MD5 the MD5 the MD5 none none, same bytes' },
  'x-amz-checksum-md5 of something else': {
    aws: '400 BadDigest: The MD5 you specified did not match the calculated checksum., absent',
  },
  'x-amz-checksum-md5 in a trailer': { aws: '200, the MD5 the MD5 the MD5 none none, same bytes' },
  'x-amz-checksum-md5 in a trailer, of something else': {
    aws: '400 BadDigest: The MD5 you specified did not match the calculated checksum., absent',
  },
  'an upload in parts with MD5s, in headers': {
    aws: '200 the MD5, 200 MD5 the MD5, 200 the MD5, 200 the MD5 COMPOSITE',
  },
  'an upload in parts with MD5s, in trailers': {
    aws: '200 the MD5, 200 MD5 the MD5, 200 the MD5, 200 the MD5 COMPOSITE',
  },
  'UploadPart without the checksum that the upload was created with': {
    aws: '400 InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null',
  },
  'CompleteMultipartUpload without the checksums of its parts': {
    aws: '400 InvalidRequest: The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.',
  },
  'a copy that is asked for MD5': { aws: '200 the MD5, the MD5' },
  'GetObjectAttributes of an object with an MD5': { aws: '200 the MD5' },
}
