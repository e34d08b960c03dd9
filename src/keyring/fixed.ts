import type { KeyVersion } from './keyring-file.js'
import type { Keyring } from './port.js'
import { versionedKeyring } from './versions.js'

/** The key version's key is the data key of every object: what applications with one SSE-C key did themselves. */
export function fixedKeyring(name: string, versions: readonly KeyVersion[]): Keyring {
  return versionedKeyring(name, 'fixed', versions, (key) => () => key)
}
