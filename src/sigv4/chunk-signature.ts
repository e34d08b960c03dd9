import { S3Error } from '../s3/error.js'
import { EMPTY_SHA256, sameSignature, scopeText, sha256, signatureOf } from './signing-key.js'
import type { VerifiedSignature } from './types.js'

/** Verifies one signature after the other; each signs the one before it, so that none can be moved, left out or added. */
export interface SignatureChain {
  /** @throws S3Error SignatureDoesNotMatch */
  chunk(dataSha256: string, provided: string): void
  /** @param lines the trailers, `name:value\n` each @throws S3Error SignatureDoesNotMatch */
  trailer(lines: string, provided: string): void
}

/**
 * The chain of chunk signatures that starts with the request's own.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function signatureChain(verified: VerifiedSignature): SignatureChain {
  const { signingKey, timestamp, scope } = verified
  // The same in all strings to sign of one body.
  const when = `${timestamp}\n${scopeText(scope)}\n`
  const chunkHead = `AWS4-HMAC-SHA256-PAYLOAD\n${when}`
  let previous = verified.signature
  const verify = (stringToSign: string, provided: string): void => {
    if (!sameSignature(signatureOf(signingKey, stringToSign), provided)) {
      throw new S3Error('SignatureDoesNotMatch', {
        extra: { AWSAccessKeyId: scope.accessKeyId, StringToSign: stringToSign, SignatureProvided: provided },
      })
    }
    previous = provided
  }
  return {
    chunk: (dataSha256, provided) => verify(`${chunkHead}${previous}\n${EMPTY_SHA256}\n${dataSha256}`, provided),
    trailer: (lines, provided) => verify(`AWS4-HMAC-SHA256-TRAILER\n${when}${previous}\n${sha256(lines)}`, provided),
  }
}
