import { createHmac, createSecretKey, type BinaryLike, type KeyObject } from 'node:crypto'
import { EncodedKey } from '../s3/encoded-key.js'
import { S3Error } from '../s3/error.js'

/** Frozen: another derivation gets another name, never an edit (docs/keys.md, test/vectors/keys). */
const NAME = 'ssec-proxy/v1'
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * HKDF-Extract with SHA-256: a pseudorandom key of 32 bytes.
 *
 * Written out, as is {@link expand}, because node:crypto's hkdfSync takes an info of at most 1024 bytes, and an object
 * key alone can have that many; and because this half is the same for all objects.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5869#section-2.2
 */
export function extract(salt: BinaryLike, ikm: Buffer | KeyObject): Buffer {
  return createHmac('sha256', salt)
    .update('export' in ikm ? ikm.export() : ikm)
    .digest()
}

/**
 * HKDF-Expand with SHA-256 to 32 bytes, in base64. That is its first block, T(1), and all that a data key takes.
 *
 * @param info bytes, or text that stands for its UTF-8
 * @see https://www.rfc-editor.org/rfc/rfc5869#section-2.3
 */
export function expand(prk: Buffer | KeyObject, info: Buffer | string): string {
  const hmac = createHmac('sha256', prk)
  if (typeof info === 'string') hmac.update(`${info}\x01`, 'utf8')
  else hmac.update(info).update(FIRST)
  return hmac.digest('base64')
}

const FIRST = Uint8Array.of(1)

/** What is the same for every object under one master key; computed once. The salt is empty. */
export function derivationKey(masterKey: KeyObject): KeyObject {
  return createSecretKey(extract('', masterKey))
}

/**
 * `ssec-proxy/v1`, a zero byte, the bucket identity, a zero byte, the object key in UTF-8. Because no identity holds a
 * zero byte, no two objects share their info, whatever their object keys hold.
 *
 * @throws S3Error AccessDenied where two objects could share it: a zero byte in the identity, text that has no UTF-8
 */
export function derivationInfo(bucketIdentity: string, objectKey: string): Buffer {
  return Buffer.from(infoText(bucketIdentity, objectKey), 'utf8')
}

function infoText(bucketIdentity: string, objectKey: string): string {
  if (bucketIdentity.includes('\0') || LONE_SURROGATE.test(bucketIdentity) || LONE_SURROGATE.test(objectKey)) {
    throw new S3Error('AccessDenied', {
      cause: 'no key is derived from text that is not Unicode, or for such a bucket',
    })
  }
  return `${NAME}\0${bucketIdentity}\0${objectKey}`
}

/** The data key of one object under one master key, given as its {@link derivationKey}. @throws S3Error AccessDenied */
export function deriveDataKey(prk: KeyObject, bucketIdentity: string, objectKey: string): EncodedKey {
  return new EncodedKey(expand(prk, infoText(bucketIdentity, objectKey)))
}
