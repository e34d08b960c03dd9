import type { KeyMemory, RememberedKey } from './cached.js'
import type { DataKey, KeyReference, ObjectScope, Soon } from './port.js'

/** What a read may try: a key version of a keyring, or no customer key at all. */
export type Candidate = ({ readonly type: 'key' } & RememberedKey) | { readonly type: 'plain' }

type Encrypted = Extract<KeyReference, { type: 'encrypted' }>

/**
 * What a read of one object tries, in order and without repeats: what is remembered of it, the active key version, the
 * older ones, the versions of further keyrings, and plain where the rule allows it. What is remembered counts only if
 * the rule still allows it. The list is empty where the rule's keyrings know nothing of the object.
 */
export function readCandidates(
  reference: KeyReference,
  scope: ObjectScope,
  memory: Pick<KeyMemory, 'get'>,
): readonly Candidate[] {
  if (reference.type === 'plain') return [PLAIN]
  const { keyring, alsoRead } = reference
  const list: Candidate[] = []
  for (const keyVersion of keyring.candidates(scope)) list.push({ type: 'key', keyring: keyring.name, keyVersion })
  for (const other of alsoRead) {
    for (const keyVersion of other.candidates(scope)) {
      if (placeOf(list, other.name, keyVersion) < 0) list.push({ type: 'key', keyring: other.name, keyVersion })
    }
  }
  if (reference.plaintext === 'allow') list.push(PLAIN)
  // Nothing could change the order of one.
  if (list.length < 2) return list
  const remembered = memory.get(scope)
  if (remembered === 'unknown') return list
  const at = remembered === 'plain' ? list.indexOf(PLAIN) : placeOf(list, remembered.keyring, remembered.keyVersion)
  if (at > 0) list.unshift(...list.splice(at, 1))
  return list
}

/**
 * What a read of an object that may change meanwhile tries: its candidates, and where the key that writes take was not the
 * last of them, that one again. The object may have been written anew, or moved by `rekey`, behind the attempt with the
 * new key and before the one with the old. A version that is named by its id stays what it is.
 */
export function readAttempts(
  reference: KeyReference,
  scope: ObjectScope,
  memory: Pick<KeyMemory, 'get'>,
): readonly Candidate[] {
  const list = readCandidates(reference, scope, memory)
  if (list.length < 2 || reference.type === 'plain' || isLasting(scope.version)) return list
  const { keyring } = reference
  const [active] = keyring.candidates(scope)
  const at = active === undefined ? -1 : placeOf(list, keyring.name, active)
  const written = list[at]
  return written === undefined || at === list.length - 1 ? list : [...list, written]
}

/** The null version is whatever was written last without an id. */
const isLasting = (version: ObjectScope['version']) => version.type === 'id' && version.versionId !== 'null'

const PLAIN: Candidate = { type: 'plain' }

function placeOf(list: readonly Candidate[], keyring: string, keyVersion: string): number {
  return list.findIndex((one) => one.type === 'key' && one.keyVersion === keyVersion && one.keyring === keyring)
}

/** The data key of a candidate; `unknown` where the rule has no such keyring or the keyring no such key version. */
export function candidateKey(
  reference: Encrypted,
  scope: ObjectScope,
  { keyring, keyVersion }: RememberedKey,
): Soon<DataKey | 'unknown'> {
  if (reference.keyring.name === keyring) return reference.keyring.forVersion(scope, keyVersion)
  return reference.alsoRead.find(({ name }) => name === keyring)?.forVersion(scope, keyVersion) ?? 'unknown'
}
