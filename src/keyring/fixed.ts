import type { PlainVersion } from './keyring-file.js'
import type { Keyring } from './port.js'
import { plainKeyring, type Prepare } from './versions.js'

/** The key version's key is the data key of every object: what applications with one SSE-C key did themselves. */
export const fixedKey: Prepare = (key) => () => key

/** A keyring of {@link fixedKey} whose keys are in memory. */
export function fixedKeyring(name: string, versions: readonly PlainVersion[], now: () => Date): Keyring {
  return plainKeyring(name, 'fixed', versions, now, fixedKey)
}
