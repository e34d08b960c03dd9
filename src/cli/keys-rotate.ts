import {
  checkOf,
  type KeyVersion,
  type Material,
  type NewMacVersion,
  type NewVersion,
  type VersionHead,
} from '../keyring/keyring-file.js'
import { activeAt, pendingAt, settledAt, withNewMac, withNewVersion, type Activation } from '../keyring/succession.js'
import { changeVersions, refused, type AnyVersions, type Change } from './change-keyring.js'
import type { CliIo } from './io.js'
import { readKeyringText } from './keyring-storage.js'
import { BACK_UP, newVersion } from './new-version.js'

export interface KeysRotateArguments {
  readonly file: string
  /** The new key version's id; made from the date and the check value where there is none. */
  readonly id: string | undefined
  readonly activation: Activation
  /** In the clear although the active one is wrapped. */
  readonly plain: boolean
}

/**
 * `keys rotate`: one more key version in a keyring file, active now or from an instant on. Prints the id and the check
 * value, never the key.
 *
 * @returns the exit code
 */
export function keysRotate({ file, id, activation, plain }: KeysRotateArguments, io: CliIo): number {
  const made = newVersion(id, io)
  if (made.type === 'refused') {
    io.stderr(`${made.reason}\n`)
    return 1
  }
  const change = (before: AnyVersions): Change => {
    if (before.type === 'kms-mac') {
      return refused(`${file}: a kms-mac keyring takes a key of KMS: --kms-key-id, and --config or --kms-region`)
    }
    const isWrapped = activeAt<KeyVersion>(before.versions, io.now()).type === 'wrapped'
    if (isWrapped && plain && isOpenToOthers(file)) {
      return refused(`${file} is open to its group or to others: chmod 600 it before a key stands in it in the clear`)
    }
    if (isWrapped && !plain) {
      return refused(
        `${file}: its active key is wrapped by KMS: --config or --kms-region says where KMS is, and the new one is wrapped ` +
          'too; --plain puts it into the file in the clear',
      )
    }
    return rotated(file, before, made.version, activation, io.now())
  }
  return changeVersions(file, change, io)
}

/** With wrapped keys alone that was nobody's harm. */
function isOpenToOthers(file: string): boolean {
  const read = readKeyringText(file)
  return read.type === 'text' && (read.mode & 0o077) !== 0
}

/** The keyring with this key version and what is said of it; or why not. */
export function rotated(
  file: string,
  before: AnyVersions,
  version: NewVersion | NewMacVersion,
  activation: Activation,
  now: Date,
): Change {
  const { id } = version
  const { versions, retired } = before
  const all: readonly (VersionHead & Material)[] = versions
  if ([...all, ...retired].some((one) => one.id === id)) {
    return refused(`${file} has a key version ${id} already, or had one; --id gives the new one another id`)
  }
  const checks = [...all.map(checkOf), ...retired.map(({ check }) => check)]
  if (checks.includes(checkOf(version))) return refused(`${file} has this key already`)
  const pending = pendingAt(versions, now)
  if (pending !== undefined) {
    return refused(
      `${file} has a pending key version, ${pending.id}, that is active from ${pending.activateAt} on; ` +
        'rotate again after that, or make it active now with `keys activate`',
    )
  }
  const contents = grown(before, version, activation, now)
  const { name, type } = contents
  const which =
    activation.type === 'now'
      ? `active key version: ${id}`
      : `pending key version: ${id}, active from ${activation.instant.toISOString()} on`
  return {
    type: 'changed',
    contents,
    stdout: `rotated ${file}: keyring ${name}, ${type}, ${contents.versions.length} key versions\n${which}\ncheck value: ${checkOf(version)}\n`,
    stderr: activation.type === 'now' ? `${BACK_UP}${SEVERAL}` : BACK_UP,
  }
}

function grown(
  before: AnyVersions,
  version: NewVersion | NewMacVersion,
  activation: Activation,
  now: Date,
): AnyVersions {
  if (before.type === 'kms-mac') {
    if (version.type !== 'mac') throw new TypeError('a kms-mac keyring was given a key')
    return withNewMac({ ...before, versions: settledAt(before.versions, now) }, version, activation)
  }
  if (version.type === 'mac') throw new TypeError('a keyring of keys was given a key of KMS')
  return withNewVersion({ ...before, versions: settledAt(before.versions, now) }, version, activation)
}

const SEVERAL =
  'Proxies load the file by themselves. Of several, one that has not done so yet cannot read what another writes: --activate-in 10m lets all learn the key first.\n'
