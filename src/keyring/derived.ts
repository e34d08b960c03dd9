import { deriveDataKey, derivationKey } from './derive.js'
import type { KeyVersion } from './keyring-file.js'
import type { Keyring } from './port.js'
import { versionedKeyring } from './versions.js'

/** Every object has a data key of its own, derived from the key version's master key and the object's name. */
export function derivedKeyring(name: string, versions: readonly KeyVersion[]): Keyring {
  return versionedKeyring(name, 'derived', versions, (masterKey) => {
    const prk = derivationKey(masterKey)
    return (scope) => deriveDataKey(prk, scope.bucketIdentity, scope.objectKey)
  })
}
