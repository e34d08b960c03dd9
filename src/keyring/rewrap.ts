import { persist, type Patience } from './attempts.js'
import { checkOfMac, CHECK_LABEL } from './check-value.js'
import {
  checkOf,
  type KeyVersion,
  type MacMaterial,
  type PlainVersion,
  type WrappedMaterial,
  type WrappedVersion,
} from './keyring-file.js'
import type { Kms, KmsFailure } from './kms-port.js'
import type { KmsWorld } from './kms-world.js'
import { unwrapKey, wrapKey } from './wrap-key.js'

/** KMS as a command asks it: again and again for a time. */
export interface PatientKms {
  readonly kms: Kms
  readonly patience: Patience
  readonly world: Pick<KmsWorld, 'monotonic' | 'random' | 'sleep'>
}

export type WrappedResult = { readonly type: 'value'; readonly version: WrappedVersion } | KmsFailure
export type PlainResult = { readonly type: 'value'; readonly version: PlainVersion } | KmsFailure

/**
 * The same key version, wrapped by a KMS key, after KMS has opened what it made and it was the same key. One that is
 * wrapped already is opened first; its bytes are in this process's memory only. An alias becomes the ARN that it stands
 * for: one that is pointed elsewhere later would open nothing.
 */
export async function wrapVersion(
  keyring: string,
  version: KeyVersion,
  kmsKeyId: string,
  asked: PatientKms,
): Promise<WrappedResult> {
  const plain = await unwrapVersion(keyring, version, asked)
  if (plain.type !== 'value') return plain
  const { key } = plain.version
  const { kms } = asked
  const made = await patiently(asked, () => wrapKey(kms, { keyring, keyVersion: version.id, kmsKeyId, key }))
  if (made.type !== 'wrapped') return made
  const material: WrappedMaterial = {
    type: 'wrapped',
    wrappedKey: made.wrappedKey,
    kmsKeyId: isAlias(kmsKeyId) ? made.kmsKeyId : kmsKeyId,
    check: checkOf(plain.version),
  }
  const back = await patiently(asked, () => unwrapKey(kms, keyring, { id: version.id, ...material }))
  if (back.type !== 'key') return back
  if (!back.key.equals(key)) return { type: 'denied', reason: 'KMS does not give back the key that it wrapped' }
  return { type: 'value', version: { ...headOf(version), ...material } }
}

/** The same key version with its bytes at hand. */
export async function unwrapVersion(keyring: string, version: KeyVersion, asked: PatientKms): Promise<PlainResult> {
  if (version.type === 'plain') return { type: 'value', version }
  const result = await patiently(asked, () => unwrapKey(asked.kms, keyring, version))
  if (result.type !== 'key') return result
  return { type: 'value', version: { ...headOf(version), type: 'plain', key: result.key } }
}

export type MacResult = { readonly type: 'value'; readonly material: MacMaterial } | KmsFailure

/** What a file says of a key that never leaves KMS. An alias becomes the ARN that it stands for. */
export async function macMaterial(kmsKeyId: string, asked: PatientKms): Promise<MacResult> {
  const answer = await patiently(asked, () => asked.kms.generateMac(kmsKeyId, CHECK_LABEL))
  if (answer.type !== 'bytes') return answer
  const named = isAlias(kmsKeyId) ? answer.kmsKeyId : kmsKeyId
  return { type: 'value', material: { type: 'mac', kmsKeyId: named, check: checkOfMac(answer.bytes) } }
}

/** `alias/NAME`, or the ARN of one. */
const isAlias = (kmsKeyId: string): boolean => /(^|:)alias\//.test(kmsKeyId)

function headOf(version: KeyVersion) {
  const { id, created } = version
  return version.state === 'pending'
    ? { id, created, state: version.state, activateAt: version.activateAt }
    : { id, created, state: version.state }
}

async function patiently<T extends { readonly type: string }>(
  { patience, world }: PatientKms,
  call: () => Promise<T | KmsFailure>,
): Promise<T | KmsFailure> {
  const result = await persist(
    async () => {
      const answer = await call()
      return isFailure(answer) ? answer : ({ type: 'value', answer } as const)
    },
    patience,
    world,
  )
  return result.type === 'value' ? result.answer : result
}

const isFailure = (answer: { readonly type: string }): answer is KmsFailure =>
  ['denied', 'throttled', 'away'].includes(answer.type)
