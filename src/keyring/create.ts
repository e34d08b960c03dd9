import type { Problem } from '../config/problem.js'
import type { KeyringConfig } from '../config/types.js'
import { derivedKeyring } from './derived.js'
import { fixedKeyring } from './fixed.js'
import type { KeyringContents, PlainVersion, VersionedContents } from './keyring-file.js'
import { objectsKeyring } from './objects.js'
import { parseKeyringFile } from './parse-keyring-file.js'
import type { Keyring } from './port.js'

/** What the caller's reading of a file gave. `mode` is the file's permission bits. */
export type KeyringFileText =
  | { readonly type: 'text'; readonly text: string; readonly mode: number }
  | { readonly type: 'unreadable'; readonly reason: string }

export type CreatedKeyrings =
  | { readonly type: 'keyrings'; readonly keyrings: readonly Keyring[]; readonly warnings: readonly Problem[] }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

/**
 * The configured keyrings from their files, or every problem of every file; paths are `FILE: place in the document`.
 * Warnings are about files that others than their owner may read or change.
 */
export function createKeyrings(
  configs: readonly KeyringConfig[],
  read: (file: string) => KeyringFileText,
): CreatedKeyrings {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const keyrings = configs.flatMap((config): Keyring[] => {
    const file = read(config.file)
    if (file.type === 'unreadable') {
      problems.push({ path: config.file, message: `cannot be read: ${file.reason}` })
      return []
    }
    if ((file.mode & 0o077) !== 0) warnings.push({ path: config.file, message: openMode(file.mode) })
    const parsed = parseKeyringFile(file.text, config)
    if (parsed.type === 'keyring') {
      const keyring = createKeyring(parsed.contents)
      if (keyring !== 'needs-kms') return [keyring]
      problems.push({ path: config.file, message: 'has keys that only KMS can give' })
      return []
    }
    problems.push(...parsed.problems.map(({ path, message }) => ({ path: `${config.file}: ${path}`, message })))
    return []
  })
  return problems.length > 0 ? { type: 'problems', problems } : { type: 'keyrings', keyrings, warnings }
}

/** The one place that knows every kind of keyring: a new kind does not compile until it is here. */
export function createKeyring(contents: KeyringContents): Keyring | 'needs-kms' {
  switch (contents.type) {
    case 'derived':
      return withPlainKeys(contents, derivedKeyring)
    case 'fixed':
      return withPlainKeys(contents, fixedKeyring)
    case 'kms-mac':
      return 'needs-kms'
    case 'objects':
      return objectsKeyring(contents.name, contents.objects)
  }
}

function withPlainKeys(
  { name, versions }: VersionedContents,
  make: (name: string, versions: readonly PlainVersion[]) => Keyring,
): Keyring | 'needs-kms' {
  const plain = versions.flatMap((version) => (version.type === 'plain' ? [version] : []))
  return plain.length === versions.length ? make(name, plain) : 'needs-kms'
}

const openMode = (mode: number) =>
  `holds keys and is open to its group or to others (mode 0${(mode & 0o777).toString(8)}); chmod 600 closes it`
