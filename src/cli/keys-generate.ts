import { checkValue } from '../keyring/check-value.js'
import { keyFromBytes } from '../keyring/key-bytes.js'
import {
  formatKeyringFile,
  isName,
  withActiveVersion,
  checkOf,
  type PlainVersion,
  type VersionedContents,
} from '../keyring/keyring-file.js'
import { parseKeyringFile } from '../keyring/parse-keyring-file.js'
import type { CliIo } from './io.js'
import { changeKeyringFile, createKeyringFile } from './keyring-storage.js'

export interface KeysGenerateArguments {
  readonly file: string
  /** Extend the file instead of making it; name and type, where given, must then be the file's. */
  readonly add: boolean
  readonly name: string | undefined
  readonly type: 'derived' | 'fixed' | undefined
  /** The new key version's id; made from the date and the check value where there is none. */
  readonly id: string | undefined
}

type NewVersion = Omit<PlainVersion, 'state'>

/**
 * `keys generate`: a new keyring file, or a new active key version in an existing one. Prints the id and the check
 * value, never the key.
 *
 * @returns the exit code
 */
export function keysGenerate(args: KeysGenerateArguments, io: CliIo): number {
  for (const [option, value] of [
    ['--name', args.name],
    ['--id', args.id],
  ] as const) {
    if (value !== undefined && !isName(value)) return fail(io, [`${option} must be ${NAME_RULE}`])
  }
  const made = keyFromBytes(io.randomBytes(32))
  if (made.type === 'refused') return fail(io, [`the system's randomness gave no key: it ${made.message}`])
  const created = io.now().toISOString()
  const version: NewVersion = {
    type: 'plain',
    id: args.id ?? ownId(created, checkValue(made.key)),
    created,
    key: made.key,
  }
  return args.add ? extend(args, version, io) : create(args, version, io)
}

const NAME_RULE = '1 to 64 of letters, digits, ".", "_" and "-", and not a reserved word'

/** Made apart, by two people on one day, two key versions still have two ids. */
const ownId = (created: string, check: string) => `${created.slice(0, 10)}-${check.slice(0, 6)}`

function create({ file, name, type }: KeysGenerateArguments, version: NewVersion, io: CliIo): number {
  if (name === undefined || type === undefined) return fail(io, ['a new keyring needs --name and --type'])
  const text = formatKeyringFile({ type, name, versions: [{ ...version, state: 'active' }] })
  const stored = createKeyringFile(file, text)
  if (stored.type === 'failed') return fail(io, [stored.reason])
  return done(`made ${file}: keyring ${name}, ${type}`, version, io)
}

function extend(args: KeysGenerateArguments, version: NewVersion, io: CliIo): number {
  let title = ''
  let reasons: readonly string[] = []
  const stored = changeKeyringFile(args.file, (before) => {
    const result = extended(before, args, version)
    if (result.type === 'refused') {
      reasons = result.reasons
      return undefined
    }
    const { name, type, versions } = result.contents
    title = `extended ${args.file}: keyring ${name}, ${type}, ${versions.length} key versions`
    return formatKeyringFile(result.contents)
  })
  if (stored.type === 'stored') return done(title, version, io)
  return fail(io, stored.type === 'failed' ? [stored.reason] : [...reasons, 'nothing was changed'])
}

type Extended =
  | { readonly type: 'extended'; readonly contents: VersionedContents }
  | { readonly type: 'refused'; readonly reasons: readonly string[] }

function extended(before: string, { file, name, type }: KeysGenerateArguments, version: NewVersion): Extended {
  const parsed = parseKeyringFile(before, 'any')
  if (parsed.type === 'problems') {
    return { type: 'refused', reasons: parsed.problems.map(({ path, message }) => `${file}: ${path} ${message}`) }
  }
  const { contents } = parsed
  if (contents.type === 'objects') {
    return { type: 'refused', reasons: [`${file}: a keyring of single objects has no key versions to add to`] }
  }
  if (contents.type === 'kms-mac') {
    return { type: 'refused', reasons: [`${file}: the keys of a kms-mac keyring are made by KMS`] }
  }
  const reasons = [
    ...(name !== undefined && name !== contents.name ? [`${file} is not of a keyring named ${name}`] : []),
    ...(type !== undefined && type !== contents.type ? [`${file} is of a keyring of type ${contents.type}`] : []),
    ...(contents.versions.some(({ id }) => id === version.id)
      ? [`${file} has a key version ${version.id} already`]
      : []),
  ]
  if (contents.versions.some((one) => checkOf(one) === checkOf(version))) reasons.push(`${file} has this key already`)
  if (reasons.length > 0) return { type: 'refused', reasons }
  return { type: 'extended', contents: withActiveVersion(contents, version) }
}

function done(title: string, { id, key }: NewVersion, io: CliIo): number {
  io.stdout(`${title}\nactive key version: ${id}\ncheck value: ${checkValue(key)}\n`)
  io.stderr('Back the file up before anything is encrypted with it: without the key, nobody can read those objects.\n')
  return 0
}

function fail(io: CliIo, reasons: readonly string[]): number {
  for (const reason of reasons) io.stderr(`${reason}\n`)
  return 1
}
