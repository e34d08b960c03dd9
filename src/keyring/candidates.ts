import type { KeyMemory, RememberedKey } from './cached.js'
import type { DataKey, Keyring, KeyReference, ObjectScope, Soon } from './port.js'

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
  if (reference.type === 'plain') return [{ type: 'plain' }]
  const inOrder = new Map<string, Candidate>()
  for (const keyring of keyringsOf(reference)) {
    for (const keyVersion of keyring.candidates(scope)) {
      const candidate = { type: 'key', keyring: keyring.name, keyVersion } as const
      inOrder.set(nameOf(candidate), candidate)
    }
  }
  if (reference.plaintext === 'allow') inOrder.set('plain', { type: 'plain' })
  const remembered = memory.get(scope)
  const first =
    remembered === 'unknown' ? undefined : inOrder.get(remembered === 'plain' ? 'plain' : nameOf(remembered))
  return first === undefined ? [...inOrder.values()] : [...new Set([first, ...inOrder.values()])]
}

/** The data key of a candidate; `unknown` where the rule has no such keyring or the keyring no such key version. */
export function candidateKey(
  reference: Encrypted,
  scope: ObjectScope,
  { keyring, keyVersion }: RememberedKey,
): Soon<DataKey | 'unknown'> {
  return (
    keyringsOf(reference)
      .find(({ name }) => name === keyring)
      ?.forVersion(scope, keyVersion) ?? 'unknown'
  )
}

const keyringsOf = ({ keyring, alsoRead }: Encrypted): readonly Keyring[] => [keyring, ...alsoRead]

const nameOf = ({ keyring, keyVersion }: RememberedKey) => `key ${keyring} ${keyVersion}`
