import { deriveDataKey, derivationKey } from './derive.js'
import type { PlainVersion } from './keyring-file.js'
import type { Keyring } from './port.js'
import { plainKeyring, type Prepare } from './versions.js'

/** Every object has a data key of its own, derived from the key version's master key and the object's name. */
export const derivedKeys: Prepare = (masterKey) => {
  const prk = derivationKey(masterKey)
  return (scope) => deriveDataKey(prk, scope.bucketIdentity, scope.objectKey)
}

/** A keyring of {@link derivedKeys} whose master keys are in memory. */
export function derivedKeyring(name: string, versions: readonly PlainVersion[], now: () => Date): Keyring {
  return plainKeyring(name, 'derived', versions, now, derivedKeys)
}
