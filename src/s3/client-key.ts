import { type KeyObject, createSecretKey, hash } from 'node:crypto'
import type { Fields } from './fields.js'
import { S3Error } from './error.js'

/** A customer key that the client brought itself. The KeyObject prints no bytes. */
export interface ClientKey {
  readonly type: 'client'
  readonly key: KeyObject
}

const PREFIXES = {
  target: 'x-amz-server-side-encryption-customer-',
  'copy-source': 'x-amz-copy-source-server-side-encryption-customer-',
} as const

const NEEDS = 'Requests specifying Server Side Encryption with Customer provided keys must provide'

/**
 * The key in a client's three SSE-C headers, held to S3's rules before anything is sent: what the upstream gets is then
 * written anew from the key, and its proof can be checked against it. No error repeats a value.
 *
 * @throws S3Error InvalidArgument, InvalidEncryptionAlgorithmError, as S3 says them
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html
 */
export function parseClientKey(fields: Fields, side: 'target' | 'copy-source'): ClientKey {
  const prefix = PREFIXES[side]
  const algorithm = fields.get(`${prefix}algorithm`)
  const text = fields.get(`${prefix}key`)
  const md5 = fields.get(`${prefix}key-md5`)
  if (side === 'target' && fields.has('x-amz-server-side-encryption')) {
    throw invalid(
      'x-amz-server-side-encryption',
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    )
  }
  if (algorithm === undefined) throw invalid(`${prefix}algorithm`, `${NEEDS} a valid encryption algorithm.`)
  if (algorithm !== 'AES256') {
    throw new S3Error('InvalidEncryptionAlgorithmError', { extra: { ArgumentName: `${prefix}algorithm` } })
  }
  if (text === undefined) throw invalid(`${prefix}key`, `${NEEDS} an appropriate secret key.`)
  if (md5 === undefined) throw invalid(`${prefix}key-MD5`, `${NEEDS} the client calculated MD5 of the secret key.`)
  const bytes = Buffer.from(text, 'base64')
  // Strictly: node leaves out what is not base64, a comma between two keys for instance.
  if (bytes.length !== 32 || bytes.toString('base64') !== text) {
    throw invalid(`${prefix}key`, 'The secret key was invalid for the specified algorithm.')
  }
  if (hash('md5', bytes, 'base64') !== md5) {
    throw invalid(`${prefix}key-MD5`, 'The calculated MD5 hash of the key did not match the hash that was provided.')
  }
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return { type: 'client', key }
}

/** Whether a query holds a customer key: S3 takes it in headers only, and queries are written into logs. */
export function customerKeyInQuery(names: Iterable<string>): boolean {
  for (const name of names) if (KEY_NAME.test(name)) return true
  return false
}

const KEY_NAME = /^x-amz-(?:copy-source-)?server-side-encryption-customer-key$/i

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, extra: { ArgumentName: name } })
}
