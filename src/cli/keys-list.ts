import { realpathSync } from 'node:fs'
import { checkOf, type KeyringContents } from '../keyring/keyring-file.js'
import { parseKeyringFile } from '../keyring/parse-keyring-file.js'
import { settledAt } from '../keyring/succession.js'
import type { CliIo } from './io.js'
import { readKeyringText } from './keyring-storage.js'

/** A key version as it is told: never its bytes. */
export interface ToldVersion {
  readonly id: string
  /** At the time of asking: a pending version whose instant has come is active. */
  readonly state: 'active' | 'readable' | 'pending' | 'retired'
  readonly activateAt?: string
  readonly created: string
  readonly ageDays: number
  readonly check: string
  /** Where the bytes are: in the file, wrapped in the file, or in KMS only; `none` of a retired one. */
  readonly material: 'plain' | 'wrapped' | 'kms' | 'none'
  readonly kmsKeyId?: string
}

export type ReadKeyring =
  | { readonly type: 'keyring'; readonly contents: KeyringContents }
  | { readonly type: 'problems'; readonly problems: readonly string[] }

/** A keyring file by itself, without a configuration. */
export function readKeyringFile(file: string): ReadKeyring {
  const read = readKeyringText(file)
  if (read.type === 'unreadable') return { type: 'problems', problems: [`${file}: ${read.reason}`] }
  const parsed = parseKeyringFile(read.text, 'any')
  if (parsed.type === 'keyring') return parsed
  return { type: 'problems', problems: parsed.problems.map(({ path, message }) => `${file}: ${path} ${message}`) }
}

/** `keys list`. @returns the exit code */
export function keysList({ file, json }: { readonly file: string; readonly json: boolean }, io: CliIo): number {
  const read = readKeyringFile(file)
  if (read.type === 'problems') {
    for (const problem of read.problems) io.stderr(`${problem}\n`)
    return 1
  }
  const { contents } = read
  if (json) {
    io.stdout(`${JSON.stringify(toldKeyring(file, contents, io.now()), null, 2)}\n`)
    return 0
  }
  io.stdout(describe(contents, io.now()))
  return 0
}

/** A keyring for programs. */
export function toldKeyring(file: string, contents: KeyringContents, now: Date): object {
  const { name, type } = contents
  const rest =
    contents.type === 'objects' ? { objects: contents.objects.length } : { versions: toldVersions(contents, now) }
  return { file, name, type, ...rest }
}

/** Whether two names lead to one file, through links or not. */
export function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false
  }
}

/** A keyring for people: a line for each key version. */
export function describe(contents: KeyringContents, now: Date): string {
  const title = `keyring ${contents.name}, ${contents.type}`
  if (contents.type === 'objects') return `${title}: ${contents.objects.length} keys of single objects\n`
  const rows = toldVersions(contents, now).map(({ id, state, activateAt, created, ageDays, check, ...rest }) => [
    id,
    state,
    created,
    `${ageDays} d`,
    check,
    `${rest.material}${rest.kmsKeyId === undefined ? '' : ` ${rest.kmsKeyId}`}${activateAt === undefined ? '' : `, active from ${activateAt} on`}`,
  ])
  return `${title}\n${table([['id', 'state', 'created', 'age', 'check value', 'key'], ...rows])}`
}

function toldVersions(contents: Exclude<KeyringContents, { type: 'objects' }>, now: Date): readonly ToldVersion[] {
  const ageDays = (created: string) => Math.max(0, Math.floor((now.getTime() - Date.parse(created)) / 86_400_000))
  return [
    ...settledAt<(typeof contents.versions)[number]>(contents.versions, now).map((version): ToldVersion => {
      const { id, state, created } = version
      return {
        id,
        state,
        ...(version.state === 'pending' ? { activateAt: version.activateAt } : {}),
        created,
        ageDays: ageDays(created),
        check: checkOf(version),
        material: version.type === 'mac' ? 'kms' : version.type,
        ...(version.type === 'plain' ? {} : { kmsKeyId: version.kmsKeyId }),
      }
    }),
    ...contents.retired.map(({ id, created, check }): ToldVersion => ({
      id,
      state: 'retired',
      created,
      ageDays: ageDays(created),
      check,
      material: 'none',
    })),
  ]
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd() + '\n')
    .join('')
}
