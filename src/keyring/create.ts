import { createHash } from 'node:crypto'
import type { Problem } from '../config/problem.js'
import type { KeyringConfig } from '../config/types.js'
import { derivedKeyring, derivedKeys } from './derived.js'
import { fixedKey, fixedKeyring } from './fixed.js'
import type { KeyringContents, VersionedContents } from './keyring-file.js'
import type { KmsKeys } from './kms-keys.js'
import type { KmsWorld } from './kms-world.js'
import { macKeys } from './mac-keys.js'
import { objectsKeyring } from './objects.js'
import { parseKeyringFile } from './parse-keyring-file.js'
import type { Keyring } from './port.js'
import { versionedKeyring, type Prepare } from './versions.js'
import { wrappedKeys } from './wrapped-keys.js'

/** What the caller's reading of a file gave. `mode` is the file's permission bits. */
export type KeyringFileText =
  | { readonly type: 'text'; readonly text: string; readonly mode: number }
  | { readonly type: 'unreadable'; readonly reason: string }

/** A configured keyring, and what its file held when it was opened. */
export interface OpenedKeyring {
  readonly config: KeyringConfig
  readonly contents: KeyringContents
  readonly keyring: Keyring
  /** Asks KMS for every key version that it has; none where the keyring needs no KMS. See {@link KmsKeys}. */
  readonly verify: KmsKeys['verify']
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
 * Warnings are about files that others than their owner may read or change. Nobody is asked for anything: keys in KMS are
 * fetched when they are used, see {@link openKeyrings}.
 */
export function createKeyrings(
  configs: readonly KeyringConfig[],
  read: (file: string) => KeyringFileText,
  now: () => Date,
  kms: KmsWorld | 'none' = 'none',
): CreatedKeyrings {
  return together(configs.map((config) => createKeyringFile(config, read(config.file), now, kms)))
}

/** The same, and every key version that is in KMS was opened, is what its check value says, and is at hand. */
export async function openKeyrings(
  configs: readonly KeyringConfig[],
  read: (file: string) => KeyringFileText,
  now: () => Date,
  kms: KmsWorld | 'none',
): Promise<CreatedKeyrings> {
  return together(await Promise.all(configs.map((config) => openKeyringFile(config, read(config.file), now, kms))))
}

function together(files: readonly OpenedFile[]): CreatedKeyrings {
  const problems = files.flatMap((file) => (file.type === 'problems' ? file.problems : []))
  if (problems.length > 0) return { type: 'problems', problems }
  const good = files.flatMap((file) => (file.type === 'opened' ? [file] : []))
  return {
    type: 'keyrings',
    opened: good.map(({ opened }) => opened),
    warnings: good.flatMap(({ warnings }) => warnings),
  }
}

/** One keyring, every key version opened. */
export async function openKeyringFile(
  config: KeyringConfig,
  file: KeyringFileText,
  now: () => Date,
  kms: KmsWorld | 'none' = 'none',
): Promise<OpenedFile> {
  const created = createKeyringFile(config, file, now, kms)
  if (created.type === 'problems' || config.type === 'objects' || config.kms === 'none') return created
  const problems = await created.opened.verify(config.kms.startTimeoutMs)
  if (problems.length === 0) return created
  return { type: 'problems', problems: problems.map((problem) => inFile(config, problem)) }
}

const inFile = ({ file }: KeyringConfig, { path, message }: Problem): Problem => ({ path: `${file}: ${path}`, message })

function createKeyringFile(
  config: KeyringConfig,
  file: KeyringFileText,
  now: () => Date,
  kms: KmsWorld | 'none',
): OpenedFile {
  if (file.type === 'unreadable') {
    return { type: 'problems', problems: [{ path: config.file, message: `cannot be read: ${file.reason}` }] }
  }
  const parsed = parseKeyringFile(file.text, config)
  if (parsed.type === 'problems') {
    return { type: 'problems', problems: parsed.problems.map((problem) => inFile(config, problem)) }
  }
  const { contents } = parsed
  const created = createKeyring(contents, config, now, kms)
  if (created === 'needs-kms') {
    const message = 'has keys that only KMS can give, and this keyring has no `kms` in the configuration: add it'
    return { type: 'problems', problems: [{ path: config.file, message }] }
  }
  return {
    type: 'opened',
    opened: { config, contents, ...created, digest: digestOf(file.text) },
    warnings: (file.mode & 0o077) === 0 ? [] : [{ path: config.file, message: openMode(file.mode) }],
  }
}

type Created = Pick<OpenedKeyring, 'keyring' | 'verify'>

/** The one place that knows every kind of keyring: a new kind does not compile until it is here. */
function createKeyring(
  contents: KeyringContents,
  config: KeyringConfig,
  now: () => Date,
  world: KmsWorld | 'none',
): Created | 'needs-kms' {
  const kms = config.type === 'objects' ? 'none' : config.kms
  const overKms = (make: (config: Exclude<typeof kms, 'none'>, world: KmsWorld) => KmsKeys) =>
    kms === 'none' || world === 'none' || contents.type === 'objects'
      ? 'needs-kms'
      : fromKms(contents, now, make(kms, world))
  const versioned = (of: VersionedContents, inMemory: typeof derivedKeyring, prepare: Prepare) => {
    const plain = of.versions.flatMap((version) => (version.type === 'plain' ? [version] : []))
    if (plain.length === of.versions.length) return withoutKms(inMemory(of.name, plain, now))
    return overKms((connection, needed) => wrappedKeys(of, connection, prepare, needed))
  }
  switch (contents.type) {
    case 'derived':
      return versioned(contents, derivedKeyring, derivedKeys)
    case 'fixed':
      return versioned(contents, fixedKeyring, fixedKey)
    case 'kms-mac':
      return overKms((connection, needed) => macKeys(contents, connection, needed))
    case 'objects':
      return withoutKms(objectsKeyring(contents.name, contents.objects))
  }
}

const withoutKms = (keyring: Keyring): Created => ({ keyring, verify: () => Promise.resolve([]) })

const fromKms = (
  { name, type, versions }: Exclude<KeyringContents, { type: 'objects' }>,
  now: () => Date,
  { dataKey, verify }: KmsKeys,
): Created => ({ keyring: versionedKeyring(name, type, versions, now, dataKey), verify })

export const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

const openMode = (mode: number) =>
  `holds keys and is open to its group or to others (mode 0${(mode & 0o777).toString(8)}); chmod 600 closes it`
