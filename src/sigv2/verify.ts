import { S3Error } from '../s3/error.js'
import { hexBytes, withoutSecrets } from '../sigv4/mismatch.js'
import { sameSignature } from '../sigv4/signing-key.js'
import { parseDateHeader, showTime } from '../sigv4/timestamp.js'
import type { SecretAccessKey } from '../sigv4/types.js'
import { version2Signature } from './signature.js'
import { stringsToSign, type Version2Parts } from './string-to-sign.js'
import type { Version2Authorization } from './types.js'

/** Milliseconds by which a client's clock may differ. */
const MAX_SKEW = 15 * 60 * 1000

export interface Version2ToVerify extends Version2Parts {
  readonly authorization: Version2Authorization
  readonly secretAccessKey: SecretAccessKey
  readonly now: Date
  /** How far ahead the end of a presigned request may lie, in milliseconds; Infinity: however far. */
  readonly presignedLifetimeMs: number
}

/**
 * Whether the request was signed with this secret and is of now. What is signed: method, bucket and path, the sub-resources of the
 * query, Content-MD5, Content-Type, the date, every `x-amz-*` header. Nothing else, the body included.
 *
 * @throws S3Error AccessDenied (no date, expired, too far ahead), RequestTimeTooSkewed, SignatureDoesNotMatch,
 *   InvalidArgument (a query that could be read in two ways)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
export function verifyVersion2(input: Version2ToVerify): void {
  const { authorization, secretAccessKey } = input
  checkTime(input)
  const expires = authorization.type === 'version-2-presigned' ? authorization.expires : 'none'
  const strings = stringsToSign(input, expires)
  const fits = strings.some((text) => sameSignature(version2Signature(secretAccessKey, text), authorization.signature))
  if (!fits) throw mismatch(authorization, strings[0] as string)
}

function checkTime({ authorization, fields, now, presignedLifetimeMs }: Version2ToVerify): void {
  if (authorization.type === 'version-2-header') {
    const text = fields.get('x-amz-date') ?? fields.get('date') ?? ''
    const signed = parseDateHeader(text)
    if (signed === 'invalid') {
      throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' })
    }
    if (Math.abs(signed.getTime() - now.getTime()) <= MAX_SKEW) return
    throw new S3Error('RequestTimeTooSkewed', {
      extra: { RequestTime: text, ServerTime: showTime(now), MaxAllowedSkewMilliseconds: String(MAX_SKEW) },
    })
  }
  const left = Number(authorization.expires) * 1000 - now.getTime()
  if (left < 0) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      extra: { Expires: showTime(new Date(now.getTime() + left)), ServerTime: showTime(now) },
    })
  }
  if (left > presignedLifetimeMs) {
    throw new S3Error('AccessDenied', {
      message: `Access Denied. Expires may be at most ${presignedLifetimeMs / 1000} seconds from now.`,
      extra: { ServerTime: showTime(now) },
      cause: 'a presigned version-2 request that lives longer than presignedV2Lifetime',
    })
  }
}

/** Tells what was signed here, as S3 does; keys and tokens of the client left out. */
function mismatch({ accessKeyId, signature }: Version2Authorization, stringToSign: string): S3Error {
  const shown = withoutSecrets(stringToSign)
  return new S3Error('SignatureDoesNotMatch', {
    extra: {
      AWSAccessKeyId: accessKeyId,
      StringToSign: Buffer.from(shown, 'latin1').toString('utf8'),
      SignatureProvided: signature,
      StringToSignBytes: hexBytes(shown),
    },
  })
}
