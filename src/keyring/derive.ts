import { createHmac, createSecretKey, type BinaryLike, type KeyObject } from 'node:crypto'
import { S3Error } from '../s3/error.js'

/** Frozen: another derivation gets another name, never an edit (docs/keys.md, test/vectors/keys). */
const NAME = 'ssec-proxy/v1'
const DATA_KEY_LENGTH = 32
const HASH_LENGTH = 32
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * HKDF-Extract with SHA-256: a pseudorandom key of 32 bytes.
 *
 * Written out, as is {@link expand}, because node:crypto's hkdfSync takes an info of at most 1024 bytes, and an object
 * key alone can have that many.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5869#section-2.2
 */
export function extract(salt: BinaryLike, ikm: Buffer | KeyObject): Buffer {
  return createHmac('sha256', salt)
    .update('export' in ikm ? ikm.export() : ikm)
    .digest()
}

/**
 * HKDF-Expand with SHA-256.
 *
 * @param length in bytes, at most 255 × 32
 * @see https://www.rfc-editor.org/rfc/rfc5869#section-2.3
 */
export function expand(prk: Buffer | KeyObject, info: Buffer, length: number): Buffer {
  const blocks: Buffer[] = []
  let last: Buffer = Buffer.alloc(0)
  for (let i = 1; (i - 1) * HASH_LENGTH < length; i++) {
    last = createHmac('sha256', prk).update(last).update(info).update(Uint8Array.of(i)).digest()
    blocks.push(last)
  }
  return Buffer.concat(blocks).subarray(0, length)
}

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
  if (bucketIdentity.includes('\0') || LONE_SURROGATE.test(bucketIdentity) || LONE_SURROGATE.test(objectKey)) {
    throw new S3Error('AccessDenied', {
      cause: 'no key is derived from text that is not Unicode, or for such a bucket',
    })
  }
  return Buffer.from(`${NAME}\0${bucketIdentity}\0${objectKey}`, 'utf8')
}

/** The data key of one object under one master key, given as its {@link derivationKey}. @throws S3Error AccessDenied */
export function deriveDataKey(prk: KeyObject, bucketIdentity: string, objectKey: string): KeyObject {
  const bytes = expand(prk, derivationInfo(bucketIdentity, objectKey), DATA_KEY_LENGTH)
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}
