import { hash, type KeyObject } from 'node:crypto'
import { EncodedKey } from './encoded-key.js'
import { S3Error } from './error.js'
import type { Fields } from './fields.js'

/** A key to send. Prints no bytes. */
export type CustomerKey = KeyObject | EncodedKey

/** The three headers of one customer key, lower-case. Holds the key: never to be logged. */
export type CustomerKeyHeaders = Readonly<Record<string, string>>

const TARGET = 'x-amz-server-side-encryption-customer-'
const COPY_SOURCE = 'x-amz-copy-source-server-side-encryption-customer-'
const ALGORITHM = 'AES256'

/**
 * The headers that give S3 the key of the target.
 *
 * @throws S3Error InternalError where the key is not 32 bytes
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
export function targetHeaders(key: CustomerKey): CustomerKeyHeaders {
  const base64 = base64Of(key)
  return {
    'x-amz-server-side-encryption-customer-algorithm': ALGORITHM,
    'x-amz-server-side-encryption-customer-key': base64,
    'x-amz-server-side-encryption-customer-key-md5': md5Of(base64),
  }
}

/** The headers that give S3 the key of the object that a copy reads. @throws S3Error InternalError */
export function copySourceHeaders(key: CustomerKey): CustomerKeyHeaders {
  const base64 = base64Of(key)
  return {
    'x-amz-copy-source-server-side-encryption-customer-algorithm': ALGORITHM,
    'x-amz-copy-source-server-side-encryption-customer-key': base64,
    'x-amz-copy-source-server-side-encryption-customer-key-md5': md5Of(base64),
  }
}

/** Base64 of the MD5 of the key's raw bytes: what S3 answers with to prove which key it used. */
export function customerKeyMD5(key: CustomerKey): string {
  return md5Of(base64Of(key))
}

/** The same of a key that is in headers already, from {@link targetHeaders}. @throws S3Error InternalError where none is */
export function sentKeyMD5(headers: CustomerKeyHeaders): string {
  const md5 = headers['x-amz-server-side-encryption-customer-key-md5']
  if (md5 === undefined) throw new S3Error('InternalError', { cause: 'the headers of an attempt hold no customer key' })
  return md5
}

/** Whether a client brought a customer key of its own, or a part of one. */
export function hasCustomerKeys(fields: Fields, side: 'target' | 'copy-source'): boolean {
  const prefix = side === 'target' ? TARGET : COPY_SOURCE
  for (const name of fields.keys()) if (name.startsWith(prefix)) return true
  return false
}

/** Whether a header asks for another server-side encryption (SSE-S3, SSE-KMS, DSSE), which S3 refuses beside a customer key. */
export function isEncryptionWish(name: string): boolean {
  return name.startsWith('x-amz-server-side-encryption') && !name.startsWith(TARGET)
}

/** Whether a header is a part of a customer key, of either side. */
export function isCustomerKey(name: string): boolean {
  return name.startsWith(TARGET) || name.startsWith(COPY_SOURCE)
}

/**
 * Whether an answer shows that the upstream used this very key: a 200 alone is no proof.
 *
 * @param md5 of the key that was sent, from {@link customerKeyMD5}
 * @returns `missing` where nothing, or only half of the proof, is said; `mismatch` where something else is said
 */
export function provesEncryption(fields: Fields, md5: string): 'proven' | 'missing' | 'mismatch' {
  const algorithm = fields.get('x-amz-server-side-encryption-customer-algorithm')
  const shown = fields.get('x-amz-server-side-encryption-customer-key-md5')
  if (algorithm !== undefined && algorithm !== ALGORITHM) return 'mismatch'
  if (shown !== undefined && shown !== md5) return 'mismatch'
  return algorithm === undefined || shown === undefined ? 'missing' : 'proven'
}

function base64Of(key: CustomerKey): string {
  if (key instanceof EncodedKey) return key.base64()
  if (key.type !== 'secret' || key.symmetricKeySize !== KEY_LENGTH) throw notAKey()
  return key.export().toString('base64')
}

const KEY_LENGTH = 32
const decoded = Buffer.alloc(KEY_LENGTH)

function md5Of(base64: string): string {
  if (base64.length !== 44 || decoded.write(base64, 'base64') !== KEY_LENGTH) throw notAKey()
  const md5 = hash('md5', decoded, 'base64')
  decoded.fill(0)
  return md5
}

const notAKey = () => new S3Error('InternalError', { cause: 'a data key is not 32 bytes' })
