import { checkValue } from '../keyring/check-value.js'
import { formatKeyringFile, isName } from '../keyring/keyring-file.js'
import type { CliIo } from './io.js'
import { createKeyringFile } from './keyring-storage.js'
import { BACK_UP, NAME_RULE, newVersion } from './new-version.js'

export interface KeysGenerateArguments {
  readonly file: string
  readonly name: string
  readonly type: 'derived' | 'fixed'
  /** The key version's id; made from the date and the check value where there is none. */
  readonly id: string | undefined
}

/**
 * `keys generate`: a new keyring file with one key version. Prints the id and the check value, never the key.
 *
 * @returns the exit code
 */
export function keysGenerate({ file, name, type, id }: KeysGenerateArguments, io: CliIo): number {
  if (!isName(name)) return fail(io, `--name must be ${NAME_RULE}`)
  const made = newVersion(id, io)
  if (made.type === 'refused') return fail(io, made.reason)
  const { version } = made
  const text = formatKeyringFile({ type, name, versions: [{ ...version, state: 'active' }], retired: [] })
  const stored = createKeyringFile(file, text)
  if (stored.type === 'failed') return fail(io, stored.reason)
  io.stdout(`made ${file}: keyring ${name}, ${type}\n`)
  io.stdout(`active key version: ${version.id}\ncheck value: ${checkValue(version.key)}\n`)
  io.stderr(BACK_UP)
  return 0
}

function fail(io: CliIo, reason: string): number {
  io.stderr(`${reason}\n`)
  return 1
}
