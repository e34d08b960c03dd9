import { createHash } from 'node:crypto'
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

/** A configured keyring, and what its file held when it was opened. */
export interface OpenedKeyring {
  readonly config: KeyringConfig
  readonly contents: KeyringContents
  readonly keyring: Keyring
  /** Of the file's text, to tell whether it changed: see {@link digestOf}. */
  readonly digest: string
}

export type OpenedFile =
  | { readonly type: 'opened'; readonly opened: OpenedKeyring; readonly warnings: readonly Problem[] }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

export type CreatedKeyrings =
  | { readonly type: 'keyrings'; readonly opened: readonly OpenedKeyring[]; readonly warnings: readonly Problem[] }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

/**
 * The configured keyrings from their files, or every problem of every file; paths are `FILE: place in the document`.
 * Warnings are about files that others than their owner may read or change.
 */
export function createKeyrings(
  configs: readonly KeyringConfig[],
  read: (file: string) => KeyringFileText,
  now: () => Date,
): CreatedKeyrings {
  const files = configs.map((config) => openKeyringFile(config, read(config.file), now))
  const problems = files.flatMap((file) => (file.type === 'problems' ? file.problems : []))
  if (problems.length > 0) return { type: 'problems', problems }
  const good = files.flatMap((file) => (file.type === 'opened' ? [file] : []))
  return {
    type: 'keyrings',
    opened: good.map(({ opened }) => opened),
    warnings: good.flatMap(({ warnings }) => warnings),
  }
}

/** One of them. */
export function openKeyringFile(config: KeyringConfig, file: KeyringFileText, now: () => Date): OpenedFile {
  if (file.type === 'unreadable') {
    return { type: 'problems', problems: [{ path: config.file, message: `cannot be read: ${file.reason}` }] }
  }
  const parsed = parseKeyringFile(file.text, config)
  if (parsed.type === 'problems') {
    const problems = parsed.problems.map(({ path, message }) => ({ path: `${config.file}: ${path}`, message }))
    return { type: 'problems', problems }
  }
  const { contents } = parsed
  const keyring = createKeyring(contents, now)
  if (keyring === 'needs-kms') {
    return { type: 'problems', problems: [{ path: config.file, message: 'has keys that only KMS can give' }] }
  }
  return {
    type: 'opened',
    opened: { config, contents, keyring, digest: digestOf(file.text) },
    warnings: (file.mode & 0o077) === 0 ? [] : [{ path: config.file, message: openMode(file.mode) }],
  }
}

/** The one place that knows every kind of keyring: a new kind does not compile until it is here. */
export function createKeyring(contents: KeyringContents, now: () => Date): Keyring | 'needs-kms' {
  switch (contents.type) {
    case 'derived':
      return withPlainKeys(contents, (name, versions) => derivedKeyring(name, versions, now))
    case 'fixed':
      return withPlainKeys(contents, (name, versions) => fixedKeyring(name, versions, now))
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

export const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

const openMode = (mode: number) =>
  `holds keys and is open to its group or to others (mode 0${(mode & 0o777).toString(8)}); chmod 600 closes it`
