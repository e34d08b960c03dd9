import { checkValue } from '../keyring/check-value.js'
import { checkOf } from '../keyring/keyring-file.js'
import { pendingAt, settledAt, withNewVersion, type Activation } from '../keyring/succession.js'
import { changeVersions, refused, type AnyVersions, type Change } from './change-keyring.js'
import type { CliIo } from './io.js'
import { BACK_UP, newVersion, type NewPlainVersion } from './new-version.js'

export interface KeysRotateArguments {
  readonly file: string
  /** The new key version's id; made from the date and the check value where there is none. */
  readonly id: string | undefined
  readonly activation: Activation
}

/**
 * `keys rotate`: one more key version in a keyring file, active now or from an instant on. Prints the id and the check
 * value, never the key.
 *
 * @returns the exit code
 */
export function keysRotate({ file, id, activation }: KeysRotateArguments, io: CliIo): number {
  const made = newVersion(id, io)
  if (made.type === 'refused') {
    io.stderr(`${made.reason}\n`)
    return 1
  }
  return changeVersions(file, (before) => rotated(file, before, made.version, activation, io.now()), io)
}

function rotated(
  file: string,
  before: AnyVersions,
  version: NewPlainVersion,
  activation: Activation,
  now: Date,
): Change {
  const { id, key } = version
  if (before.type === 'kms-mac') {
    return refused(`${file}: the keys of a kms-mac keyring are made in KMS; docs/keys.md says how it is rotated`)
  }
  const { versions, retired } = before
  if ([...versions, ...retired].some((one) => one.id === id)) {
    return refused(`${file} has a key version ${id} already, or had one; --id gives the new one another id`)
  }
  const checks = [...versions.map(checkOf), ...retired.map(({ check }) => check)]
  if (checks.includes(checkValue(key))) return refused(`${file} has this key already`)
  const pending = pendingAt(versions, now)
  if (pending !== undefined) {
    return refused(
      `${file} has a pending key version, ${pending.id}, that is active from ${pending.activateAt} on; ` +
        'rotate again after that, or make it active now with `keys activate`',
    )
  }
  const contents = withNewVersion({ ...before, versions: settledAt(versions, now) }, version, activation)
  const { name, type } = contents
  const which =
    activation.type === 'now'
      ? `active key version: ${id}`
      : `pending key version: ${id}, active from ${activation.instant.toISOString()} on`
  return {
    type: 'changed',
    contents,
    stdout: `rotated ${file}: keyring ${name}, ${type}, ${contents.versions.length} key versions\n${which}\ncheck value: ${checkValue(key)}\n`,
    stderr: activation.type === 'now' ? `${BACK_UP}${SEVERAL}` : BACK_UP,
  }
}

const SEVERAL =
  'Proxies load the file by themselves. Of several, one that has not done so yet cannot read what another writes: --activate-in 10m lets all learn the key first.\n'
