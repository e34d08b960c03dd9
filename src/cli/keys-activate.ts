import { checkOf } from '../keyring/keyring-file.js'
import { activeAt, pendingAt, settledAt, withActive, type Activation } from '../keyring/succession.js'
import { changeVersions, refused, withVersions, type AnyVersions, type Change } from './change-keyring.js'
import type { CliIo } from './io.js'

export interface KeysActivateArguments {
  readonly file: string
  readonly id: string
  readonly activation: Activation
}

/**
 * `keys activate`: a key version that is there, pending or readable, becomes the active one; the way back after a
 * rotation. With the active one, what is pending is called off: it stays readable.
 *
 * @returns the exit code
 */
export function keysActivate({ file, id, activation }: KeysActivateArguments, io: CliIo): number {
  return changeVersions(file, (before) => activated(file, before, id, activation, io.now()), io)
}

function activated(file: string, before: AnyVersions, id: string, activation: Activation, now: Date): Change {
  const all = [...before.versions]
  const version = all.find((one) => one.id === id)
  if (version === undefined) {
    const known = before.versions.map((one) => one.id).join(', ')
    return refused(`${file} has no key version ${id} that could be active; it has ${known}`)
  }
  const pending = pendingAt(all, now)
  const callsOff = activeAt(all, now) === version
  if (callsOff && (activation.type === 'at' || pending === undefined))
    return refused(`${file}: key version ${id} is active already`)
  const contents = withVersions(before, (versions) => withActive(settledAt(versions, now), id, activation))
  const when = activation.type === 'now' ? 'active' : `pending, active from ${activation.instant.toISOString()} on`
  return {
    type: 'changed',
    contents,
    stdout: `changed ${file}: keyring ${contents.name}, ${contents.type}\nkey version ${id}: ${when}\ncheck value: ${checkOf(version)}\n`,
    stderr: callsOff && pending !== undefined ? `key version ${pending.id} is pending no more, and readable\n` : '',
  }
}
