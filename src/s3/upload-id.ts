import { S3Error } from './error.js'

/** The key version that a multipart upload was created with. */
export interface UploadKey {
  readonly keyring: string
  readonly keyVersion: string
}

export interface ClientUploadId {
  readonly upstreamId: string
  /** `unknown`: an id that no proxy gave, from ListMultipartUploads say. Not verified: ask the rules whether it may be. */
  readonly key: UploadKey | 'unknown'
  /** Whether the upload was created with MD5 as its checksum; `unknown` goes with an unknown key. */
  readonly checksum: UploadChecksum | 'unknown'
}

export type UploadChecksum = 'md5' | 'other'

/** Longer than any store's id with any two names behind it. */
const MAX_LENGTH = 8192
const WRAPPED = /^(.+)\.(k1|k2)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/s

/**
 * The upload id that the client sees: it carries the key version, so that any replica can go on with the upload, after
 * a rotation too. `<upstream id>.k1.<keyring>.<key version>`, the names in base64url; `k2` where the upload's checksum is MD5.
 *
 * @throws S3Error InternalError where the result could not be read again (an empty name, or far too long)
 */
export function wrapUploadId(
  upstreamId: string,
  { keyring, keyVersion }: UploadKey,
  checksum: UploadChecksum = 'other',
): string {
  const wrapped = `${upstreamId}.${checksum === 'md5' ? 'k2' : 'k1'}.${encode(keyring)}.${encode(keyVersion)}`
  if (unwrapUploadId(wrapped).upstreamId !== upstreamId) {
    throw new S3Error('InternalError', { cause: 'an upload id cannot carry this keyring and key version' })
  }
  return wrapped
}

/** Takes apart what {@link wrapUploadId} made; anything else, however odd, is an upstream id whose key is unknown. */
export function unwrapUploadId(clientId: string): ClientUploadId {
  const plain = { upstreamId: clientId, key: 'unknown', checksum: 'unknown' } as const
  if (clientId.length > MAX_LENGTH) return plain
  const [, upstreamId, form, first, second] = WRAPPED.exec(clientId) ?? []
  if (upstreamId === undefined || first === undefined || second === undefined) return plain
  const keyring = decode(first)
  const keyVersion = decode(second)
  // Only the one spelling that wrapUploadId gives: two ids must never mean one upload.
  if (encode(keyring) !== first || encode(keyVersion) !== second) return plain
  return { upstreamId, key: { keyring, keyVersion }, checksum: form === 'k2' ? 'md5' : 'other' }
}

function encode(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url')
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8')
}
