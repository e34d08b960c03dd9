import type { Expectation } from './expectations.js'

const NO_MD5 = 'no MD5 as an additional checksum: it is ignored'
const IGNORED = { cannot: NO_MD5, answer: '200, none none none none none, same bytes' }
const NO_TRAILERS = { cannot: 'no checksums in trailers', answer: '400 XAmzContentSHA256Mismatch, absent' }
const NO_UPLOAD = {
  cannot: 'no MD5 as an additional checksum',
  answer: 'failed: Error: no upload: 400 InvalidArgument: Invalid checksum provided.',
}
const BAD_DIGEST = '400 BadDigest: The MD5 you specified did not match the calculated checksum., absent'
const KEPT = '200, the MD5 the MD5 the MD5 none none, same bytes'
const IN_PARTS = '200 the MD5, 200 MD5 the MD5, 200 the MD5, 200 the MD5 COMPOSITE'

/**
 * Of MD5 as an additional checksum. What AWS answers is documented for MD5, and seen for the other checksums; nobody has
 * recorded it for MD5 under a customer key, which is why the proxy asks before it relies on it.
 */
export const MD5_EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'x-amz-checksum-md5': { aws: KEPT, rgw: IGNORED, minio: IGNORED },
  'x-amz-checksum-md5 beside Content-MD5': { aws: KEPT, rgw: IGNORED, minio: IGNORED },
  'x-amz-checksum-md5 of something else': { aws: BAD_DIGEST, rgw: IGNORED, minio: IGNORED },
  'x-amz-checksum-md5 in a trailer': { aws: KEPT, rgw: NO_TRAILERS, minio: IGNORED },
  'x-amz-checksum-md5 in a trailer, of something else': { aws: BAD_DIGEST, rgw: NO_TRAILERS, minio: IGNORED },
  'an upload in parts with MD5s, in headers': {
    aws: IN_PARTS,
    rgw: { cannot: NO_MD5, answer: '200 none, 200 none none, 200 none, 200 none no type' },
    minio: NO_UPLOAD,
  },
  'an upload in parts with MD5s, in trailers': {
    aws: IN_PARTS,
    rgw: {
      cannot: 'no checksums in trailers',
      answer: '400 XAmzContentSHA256Mismatch none, 200 none none, 400 InvalidPart none, 404 none no type',
    },
    minio: NO_UPLOAD,
  },
  'UploadPart without the checksum that the upload was created with': {
    aws: '400 InvalidRequest: Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null',
    rgw: { cannot: 'no additional checksums', answer: '200' },
    minio: '400 InvalidArgument: Invalid arguments provided for (part): (checksum missing, want "SHA256", got "")',
  },
  'CompleteMultipartUpload without the checksums of its parts': {
    aws: '400 InvalidRequest: The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.',
    rgw: { cannot: 'no additional checksums', answer: '200' },
    minio:
      "400 InvalidPart: One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  },
  'a copy that is asked for MD5': {
    aws: '200 the MD5, the MD5',
    rgw: { cannot: 'no copies with customer keys', answer: '501 NotImplemented none, none' },
    minio: { cannot: NO_MD5, answer: '200 none, none' },
  },
  'GetObjectAttributes of an object with an MD5': {
    aws: '200 the MD5',
    rgw: { cannot: NO_MD5, answer: '200 none' },
    minio: { cannot: NO_MD5, answer: '200 none' },
  },
}
