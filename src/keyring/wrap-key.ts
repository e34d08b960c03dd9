import type { KeyObject } from 'node:crypto'
import { checkValue } from './check-value.js'
import { keyFromBytes } from './key-bytes.js'
import type { WrappedVersion } from './keyring-file.js'
import type { EncryptionContext, Kms, KmsFailure } from './kms-port.js'

/**
 * What KMS binds a wrapped key to: an entry that is moved to another keyring, or renamed, does not open. Frozen, like
 * the derivation: another context would open nothing that was wrapped before (docs/keys.md).
 */
export function encryptionContext(keyring: string, keyVersion: string): EncryptionContext {
  return { 'ssec-proxy:keyring': keyring, 'ssec-proxy:key-version': keyVersion }
}

/** `kmsKeyId` is the ARN of the key that wrapped, where the server tells it. */
export type Wrapped = { readonly type: 'wrapped'; readonly wrappedKey: Buffer; readonly kmsKeyId: string } | KmsFailure

/** Wraps a key for one keyring and key version id. `kmsKeyId` is a key id, an ARN or an alias. */
export async function wrapKey(
  kms: Pick<Kms, 'encrypt'>,
  {
    keyring,
    keyVersion,
    kmsKeyId,
    key,
  }: Readonly<Record<'keyring' | 'keyVersion' | 'kmsKeyId', string>> & {
    readonly key: KeyObject
  },
): Promise<Wrapped> {
  const plaintext = key.export()
  const answer = await kms.encrypt(kmsKeyId, plaintext, encryptionContext(keyring, keyVersion))
  plaintext.fill(0)
  return answer.type === 'bytes' ? { type: 'wrapped', wrappedKey: answer.bytes, kmsKeyId: answer.kmsKeyId } : answer
}

export type Unwrapped = { readonly type: 'key'; readonly key: KeyObject } | KmsFailure

/** Unwraps a key and holds it to its check value: whatever KMS gave, another key than the one that was wrapped is denied. */
export async function unwrapKey(
  kms: Pick<Kms, 'decrypt'>,
  keyring: string,
  { id, kmsKeyId, wrappedKey, check }: Pick<WrappedVersion, 'id' | 'kmsKeyId' | 'wrappedKey' | 'check'>,
): Promise<Unwrapped> {
  const answer = await kms.decrypt(kmsKeyId, wrappedKey, encryptionContext(keyring, id))
  if (answer.type !== 'bytes') return answer
  const result = keyFromBytes(answer.bytes)
  answer.bytes.fill(0)
  if (result.type === 'refused') return { type: 'denied', reason: `the unwrapped key ${result.message}` }
  if (checkValue(result.key) === check) return result
  return { type: 'denied', reason: 'the check value does not belong to the unwrapped key: one of the two was changed' }
}
