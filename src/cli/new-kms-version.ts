import type { NewMacVersion, NewVersion } from '../keyring/keyring-file.js'
import { isName } from '../keyring/keyring-file.js'
import { isKmsKeyId } from '../keyring/parse-versions.js'
import { macMaterial, wrapVersion, type PatientKms } from '../keyring/rewrap.js'
import type { CliIo } from './io.js'
import { kmsReason } from './kms-options.js'
import { NAME_RULE, newVersion, ownId } from './new-version.js'

export interface NewInKms {
  /** The keyring's name: a wrapped key is bound to it. */
  readonly keyring: string
  /** The new key version's id; made from the date and the check value where there is none. */
  readonly id: string | undefined
  readonly kmsKeyId: string
}

type Made<V> = { readonly type: 'made'; readonly version: V } | { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string) => ({ type: 'refused', reason }) as const
const NO_KMS_KEY_ID = refused('--kms-key-id is not a key id, an ARN or an alias of KMS')

/** A key version with a new key that was never on a disk in the clear. */
export async function newWrappedVersion(
  { keyring, id, kmsKeyId }: NewInKms,
  io: CliIo,
  asked: PatientKms,
): Promise<Made<NewVersion>> {
  if (!isKmsKeyId(kmsKeyId)) return NO_KMS_KEY_ID
  const made = newVersion(id, io)
  if (made.type === 'refused') return made
  const result = await wrapVersion(keyring, { ...made.version, state: 'readable' }, kmsKeyId, asked)
  if (result.type !== 'value') return refused(kmsReason(result))
  const { type, wrappedKey, kmsKeyId: stored, check } = result.version
  const { created } = made.version
  return { type: 'made', version: { id: made.version.id, created, type, wrappedKey, kmsKeyId: stored, check } }
}

/** A key version whose key is in KMS and stays there. */
export async function newMacVersion(
  { id, kmsKeyId }: NewInKms,
  io: CliIo,
  asked: PatientKms,
): Promise<Made<NewMacVersion>> {
  if (!isKmsKeyId(kmsKeyId)) return NO_KMS_KEY_ID
  if (id !== undefined && !isName(id)) return refused(`--id must be ${NAME_RULE}`)
  const result = await macMaterial(kmsKeyId, asked)
  if (result.type !== 'value') return refused(kmsReason(result))
  const created = io.now().toISOString()
  return { type: 'made', version: { id: id ?? ownId(created, result.material.check), created, ...result.material } }
}
