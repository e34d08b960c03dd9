import { digestOf } from '../keyring/create.js'
import type { KmsConfig } from '../config/types.js'
import { checkOf, formatKeyringFile, type KeyVersion, type VersionedContents } from '../keyring/keyring-file.js'
import { isKmsKeyId } from '../keyring/parse-versions.js'
import { parseKeyringFile } from '../keyring/parse-keyring-file.js'
import { unwrapVersion, wrapVersion, type PlainResult, type WrappedResult } from '../keyring/rewrap.js'
import { changeVersions, type Change } from './change-keyring.js'
import type { CliIo } from './io.js'
import { createKeyringFile, readKeyringText } from './keyring-storage.js'
import { kmsReason, patientKms, type CommandKms } from './kms-options.js'

interface Chosen {
  readonly file: string
  /** Ids of key versions; none for all. */
  readonly keyVersions: readonly string[]
  readonly kms: KmsConfig
}

export interface KeysWrapArguments extends Chosen {
  readonly kmsKeyId: string
  /** Those that are wrapped already, too. */
  readonly rewrap: boolean
}

export interface KeysUnwrapArguments extends Chosen {
  /** A file to make, or `in-place`. */
  readonly to: { readonly type: 'file'; readonly file: string } | { readonly type: 'in-place' }
}

/**
 * `keys wrap`: KMS wraps the keys that a keyring file holds in the clear. All of the chosen ones or none: the file is
 * replaced once KMS has opened every new wrapping again and each was the same key.
 *
 * @returns the exit code
 */
export async function keysWrap(args: KeysWrapArguments, io: CliIo, world: CommandKms): Promise<number> {
  const { file, kmsKeyId, rewrap } = args
  if (!isKmsKeyId(kmsKeyId)) return fail(io, '--kms-key-id is not a key id, an ARN or an alias of KMS')
  const read = readVersioned(file, args.keyVersions)
  if (read.type === 'problems') return fail(io, ...read.problems)
  const { contents } = read
  const isWanted = (one: KeyVersion) => read.isChosen(one) && (rewrap || one.type === 'plain')
  const asked = patientKms(args.kms, world)
  const done = await changed(contents, isWanted, (one) => wrapVersion(contents.name, one, kmsKeyId, asked))
  if (done.type === 'failed') return fail(io, done.reason, 'nothing was changed')
  const before = new Set(contents.versions)
  const lines = done.contents.versions.map((one) => {
    if (!before.has(one)) return line(one, `wrapped by ${one.type === 'wrapped' ? one.kmsKeyId : ''}`)
    return line(one, one.type === 'plain' ? 'plain, as it was' : `wrapped by ${one.kmsKeyId}, as it was`)
  })
  return stored(args, read, done, { verb: 'wrapped', lines, advice: done.count === 0 ? '' : COPIES }, io)
}

/**
 * `keys unwrap`: the way back, into a new file or in place; what it makes holds keys in the clear.
 *
 * @returns the exit code
 */
export async function keysUnwrap(args: KeysUnwrapArguments, io: CliIo, world: CommandKms): Promise<number> {
  const { file, to } = args
  const read = readVersioned(file, args.keyVersions)
  if (read.type === 'problems') return fail(io, ...read.problems)
  const { contents } = read
  const isWanted = (one: KeyVersion) => read.isChosen(one) && one.type === 'wrapped'
  const asked = patientKms(args.kms, world)
  const done = await changed(contents, isWanted, (one) => unwrapVersion(contents.name, one, asked))
  if (done.type === 'failed') return fail(io, done.reason, 'nothing was changed')
  const before = new Set(contents.versions)
  const lines = done.contents.versions.map((one) =>
    line(
      one,
      one.type === 'wrapped' ? `wrapped by ${one.kmsKeyId}, as it was` : before.has(one) ? 'plain' : 'unwrapped',
    ),
  )
  if (to.type === 'in-place' && done.count > 0 && (read.mode & 0o077) !== 0) {
    return fail(io, `${file} is open to its group or to others: chmod 600 it before keys stand in it in the clear`)
  }
  if (to.type === 'in-place') return stored(args, read, done, { verb: 'unwrapped', lines, advice: CLEAR }, io)
  const made = createKeyringFile(to.file, formatKeyringFile(done.contents))
  if (made.type === 'failed') return fail(io, made.reason)
  io.stdout(`made ${to.file}: keyring ${contents.name}, ${contents.type}\n${lines.join('')}`)
  io.stderr(CLEAR)
  return 0
}

type Read =
  | {
      readonly type: 'read'
      readonly text: string
      readonly mode: number
      readonly contents: VersionedContents
      readonly isChosen: (version: KeyVersion) => boolean
    }
  | { readonly type: 'problems'; readonly problems: readonly string[] }

function readVersioned(file: string, keyVersions: readonly string[]): Read {
  const wrong = (...problems: readonly string[]): Read => ({ type: 'problems', problems })
  const read = readKeyringText(file)
  if (read.type === 'unreadable') return wrong(`${file}: ${read.reason}`)
  const parsed = parseKeyringFile(read.text, 'any')
  if (parsed.type === 'problems') return wrong(...parsed.problems.map((one) => `${file}: ${one.path} ${one.message}`))
  const { contents } = parsed
  if (contents.type === 'kms-mac') return wrong(`${file}: the keys of a kms-mac keyring never leave KMS`)
  if (contents.type === 'objects') return wrong(`${file}: keys of single objects cannot be wrapped`)
  const known = contents.versions.map(({ id }) => id)
  const unknown = keyVersions.filter((id) => !known.includes(id))
  if (unknown.length > 0) {
    return wrong(`${file} has no key version ${unknown.join(', ')} with a key; it has ${known.join(', ')}`)
  }
  return {
    type: 'read',
    text: read.text,
    mode: read.mode,
    contents,
    isChosen: ({ id }) => keyVersions.length === 0 || keyVersions.includes(id),
  }
}

type Done =
  | { readonly type: 'done'; readonly contents: VersionedContents; readonly count: number }
  | { readonly type: 'failed'; readonly reason: string }

/** One after the other: the first failure is told, and is the end. */
async function changed(
  contents: VersionedContents,
  isWanted: (version: KeyVersion) => boolean,
  change: (version: KeyVersion) => Promise<WrappedResult | PlainResult>,
): Promise<Done> {
  const versions: KeyVersion[] = []
  let count = 0
  for (const version of contents.versions) {
    if (!isWanted(version)) {
      versions.push(version)
      continue
    }
    const result = await change(version)
    if (result.type !== 'value') {
      return { type: 'failed', reason: `key version ${version.id}: ${kmsReason(result)}` }
    }
    versions.push(result.version)
    count += 1
  }
  return { type: 'done', contents: { ...contents, versions }, count }
}

interface Told {
  readonly verb: string
  readonly lines: readonly string[]
  readonly advice: string
}

function stored(
  { file }: Chosen,
  { text }: Extract<Read, { type: 'read' }>,
  { contents, count }: Extract<Done, { type: 'done' }>,
  { verb, lines, advice }: Told,
  io: CliIo,
): number {
  const told = `${count} key versions ${verb} in ${file}: keyring ${contents.name}, ${contents.type}\n${lines.join('')}`
  if (count > 0) {
    const change = (): Change => ({ type: 'changed', contents, stdout: told, stderr: advice })
    return changeVersions(file, change, io, { digest: digestOf(text) })
  }
  io.stdout(told)
  return 0
}

const line = (version: KeyVersion, what: string): string =>
  `  ${version.id}  check value ${checkOf(version)}  ${what}\n`

const COPIES =
  'The keys are still in the clear in every earlier copy of this file: backups, snapshots, blocks of the disk. Lock one\n' +
  'copy away, because without it and without the KMS key everything is lost, and destroy the others.\n'
const CLEAR = 'The file holds keys in the clear: whoever has it and the bucket has the data.\n'

function fail(io: CliIo, ...reasons: readonly string[]): number {
  for (const reason of reasons) io.stderr(`${reason}\n`)
  return 1
}
