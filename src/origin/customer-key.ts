import { createHash, createSecretKey } from 'node:crypto'
import { fits, type CustomerKey } from './at-rest.js'
import type { Call } from './call.js'
import type { BucketState, Protection } from './model.js'
import { invalidArgument, Refusal } from './refusal.js'

const TARGET = 'x-amz-server-side-encryption-customer-'
const SOURCE = 'x-amz-copy-source-server-side-encryption-customer-'

const MESSAGES = {
  insecure:
    'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
  noAlgorithm:
    'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
  noKey:
    'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
  noMd5:
    'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
  wrongSize: 'The secret key was invalid for the specified algorithm.',
  wrongMd5: 'The calculated MD5 hash of the key did not match the hash that was provided.',
  incompatible:
    'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
  stored:
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
  notApplicable: 'The encryption parameters are not applicable to this object.',
  wrongKey:
    'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
  partWithoutKey:
    'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
  partWithKey:
    'The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.',
  partOtherKey: 'The provided encryption parameters did not match the ones used originally.',
} as const

/** The customer key that a request brings for its target. @throws Refusal InvalidArgument, InvalidRequest */
export function targetKey(call: Call): CustomerKey {
  return readKey(call, TARGET)
}

/** The customer key that a copy brings for its source. @throws Refusal InvalidArgument, InvalidRequest */
export function copySourceKey(call: Call): CustomerKey {
  return readKey(call, SOURCE)
}

function readKey(call: Call, prefix: string): CustomerKey {
  if (call.state.faults.ignoreCustomerKeys) return { type: 'none' }
  const algorithm = call.fields.get(`${prefix}algorithm`)
  const key = call.fields.get(`${prefix}key`)
  const md5 = call.fields.get(`${prefix}key-md5`)
  if (algorithm === undefined && key === undefined && md5 === undefined) return { type: 'none' }
  if (!call.secure) throw new Refusal('InvalidRequest', { message: MESSAGES.insecure })
  if (prefix === TARGET && call.fields.has('x-amz-server-side-encryption')) {
    const method = call.fields.get('x-amz-server-side-encryption') ?? ''
    throw invalidArgument('x-amz-server-side-encryption', method, MESSAGES.incompatible)
  }
  if (algorithm === undefined) throw invalidArgument(`${prefix}algorithm`, 'null', MESSAGES.noAlgorithm)
  if (algorithm !== 'AES256') {
    throw new Refusal('InvalidEncryptionAlgorithmError', {
      extra: { ArgumentName: `${prefix}algorithm`, ArgumentValue: algorithm.slice(0, 200) },
    })
  }
  if (key === undefined) throw invalidArgument(`${prefix}key`, 'null', MESSAGES.noKey)
  if (md5 === undefined) throw invalidArgument(`${prefix}key-MD5`, 'null', MESSAGES.noMd5)
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length !== 32) throw invalidArgument(`${prefix}key`, 'secret', MESSAGES.wrongSize)
  if (createHash('md5').update(bytes).digest('base64') !== md5) {
    throw invalidArgument(`${prefix}key-MD5`, md5, MESSAGES.wrongMd5)
  }
  return { type: 'given', key: createSecretKey(bytes) }
}

/** Refuses a write under a customer key where the bucket blocks them, with nothing but AccessDenied as AWS does. */
export function checkNotBlocked(bucket: BucketState, customerKey: CustomerKey): void {
  if (customerKey.type === 'given' && bucket.blocked.includes('SSE-C')) throw new Refusal('AccessDenied')
}

/** Whether this key opens that object. @throws Refusal as S3 tells a missing, a wrong and a needless key apart */
export function checkOpens(customerKey: CustomerKey, protection: Protection): void {
  if (fits(customerKey, protection)) return
  if (customerKey.type === 'none') throw new Refusal('InvalidRequest', { message: MESSAGES.stored })
  if (protection.type === 'plain') throw new Refusal('InvalidRequest', { message: MESSAGES.notApplicable })
  throw new Refusal('AccessDenied', { message: MESSAGES.wrongKey })
}

/** Whether this key is the one that the upload was created with. @throws Refusal InvalidRequest */
export function checkUploadKey(customerKey: CustomerKey, protection: Protection): void {
  if (fits(customerKey, protection)) return
  const message =
    customerKey.type === 'none'
      ? MESSAGES.partWithoutKey
      : protection.type === 'plain'
        ? MESSAGES.partWithKey
        : MESSAGES.partOtherKey
  throw new Refusal('InvalidRequest', { message })
}

/** What the answer says of the encryption that took place. */
export function proofHeaders(call: Call, customerKey: CustomerKey): Record<string, string> {
  if (customerKey.type === 'none') return { 'x-amz-server-side-encryption': 'AES256' }
  const algorithm = { [`${TARGET}algorithm`]: 'AES256' }
  const md5Of = (bytes: Buffer | string): Record<string, string> => ({
    [`${TARGET}key-MD5`]: createHash('md5').update(bytes).digest('base64'),
  })
  switch (call.state.faults.proof) {
    case 'honest':
      return { ...algorithm, ...md5Of(customerKey.key.export()) }
    case 'none':
      return {}
    case 'algorithm-only':
      return algorithm
    case 'md5-only':
      return md5Of(customerKey.key.export())
    case 'other-md5':
      return { ...algorithm, ...md5Of('another key') }
  }
}

/** What a write says of server-side encryption that needs no customer key. @throws Refusal */
export function checkManagedEncryption(call: Call): void {
  const method = call.fields.get('x-amz-server-side-encryption')
  if (method === undefined || method === 'AES256') return
  if (method === 'aws:kms' || method === 'aws:kms:dsse' || method === 'aws:fsx') {
    throw new Refusal('NotImplemented', { extra: { Header: 'x-amz-server-side-encryption' } })
  }
  throw invalidArgument('x-amz-server-side-encryption', method, 'The encryption method specified is not supported')
}

/** Reads may not ask for encryption. @throws Refusal InvalidArgument */
export function checkReadHeaders(call: Call): void {
  const method = call.fields.get('x-amz-server-side-encryption')
  if (method === undefined) return
  throw invalidArgument(
    'x-amz-server-side-encryption',
    method,
    'x-amz-server-side-encryption header is not supported for this operation.',
  )
}
