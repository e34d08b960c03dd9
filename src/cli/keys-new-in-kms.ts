import { digestOf } from '../keyring/create.js'
import type { KmsConfig } from '../config/types.js'
import { checkOf, formatKeyringFile, isName, type KeyringContents, type KeyVersion } from '../keyring/keyring-file.js'
import { parseKeyringFile } from '../keyring/parse-keyring-file.js'
import { activeAt, type Activation } from '../keyring/succession.js'
import { changeVersions } from './change-keyring.js'
import type { CliIo } from './io.js'
import { rotated } from './keys-rotate.js'
import { createKeyringFile, readKeyringText } from './keyring-storage.js'
import { patientKms, type CommandKms } from './kms-options.js'
import { newMacVersion, newWrappedVersion } from './new-kms-version.js'
import { NAME_RULE } from './new-version.js'

export interface KeysGenerateInKmsArguments {
  readonly file: string
  readonly name: string
  readonly type: 'derived' | 'fixed' | 'kms-mac'
  readonly id: string | undefined
  readonly kms: KmsConfig
  readonly kmsKeyId: string
}

/**
 * `keys generate` where KMS wraps or has the key: nothing is on the disk in the clear at any time.
 *
 * @returns the exit code
 */
export async function keysGenerateInKms(
  { file, name, type, id, kms, kmsKeyId }: KeysGenerateInKmsArguments,
  io: CliIo,
  world: CommandKms,
): Promise<number> {
  if (!isName(name)) return fail(io, `--name must be ${NAME_RULE}`)
  const wanted = { keyring: name, id, kmsKeyId }
  const asked = patientKms(kms, world)
  const made = type === 'kms-mac' ? await newMacVersion(wanted, io, asked) : await newWrappedVersion(wanted, io, asked)
  if (made.type === 'refused') return fail(io, made.reason)
  const { version } = made
  const active = { state: 'active', retired: [] } as const
  const contents: KeyringContents =
    version.type === 'mac'
      ? { type: 'kms-mac', name, versions: [{ ...version, state: active.state }], retired: active.retired }
      : {
          type: type === 'fixed' ? 'fixed' : 'derived',
          name,
          versions: [{ ...version, state: active.state }],
          retired: active.retired,
        }
  const stored = createKeyringFile(file, formatKeyringFile(contents))
  if (stored.type === 'failed') return fail(io, stored.reason)
  io.stdout(`made ${file}: keyring ${name}, ${type}\n`)
  io.stdout(`active key version: ${version.id}, in KMS: ${shownKey(version)}\ncheck value: ${checkOf(version)}\n`)
  io.stderr(version.type === 'mac' ? MAC_BACK_UP : WRAPPED_BACK_UP)
  return 0
}

export interface KeysRotateInKmsArguments {
  readonly file: string
  readonly id: string | undefined
  readonly activation: Activation
  readonly kms: KmsConfig
  /** Where there is none, the KMS key that wraps the active key version. */
  readonly kmsKeyId: string | undefined
}

/**
 * `keys rotate` where KMS wraps or has the new key.
 *
 * @returns the exit code
 */
export async function keysRotateInKms(
  { file, id, activation, kms, kmsKeyId }: KeysRotateInKmsArguments,
  io: CliIo,
  world: CommandKms,
): Promise<number> {
  const read = readKeyringText(file)
  if (read.type === 'unreadable') return fail(io, `${file}: ${read.reason}`, UNCHANGED)
  const parsed = parseKeyringFile(read.text, 'any')
  if (parsed.type === 'problems') {
    return fail(io, ...parsed.problems.map(({ path, message }) => `${file}: ${path} ${message}`), UNCHANGED)
  }
  const { contents } = parsed
  if (contents.type === 'objects') return fail(io, `${file}: a keyring of single objects has no key versions`)
  const used = kmsKeyId ?? wrapperOf(contents, io.now())
  if (used === undefined) {
    const which = contents.type === 'kms-mac' ? 'the new key of KMS' : 'the KMS key that wraps the new one'
    return fail(io, `${file}: --kms-key-id names ${which}`, UNCHANGED)
  }
  const wanted = { keyring: contents.name, id, kmsKeyId: used }
  const asked = patientKms(kms, world)
  const made =
    contents.type === 'kms-mac' ? await newMacVersion(wanted, io, asked) : await newWrappedVersion(wanted, io, asked)
  if (made.type === 'refused') return fail(io, made.reason, UNCHANGED)
  const change = (before: typeof contents) => {
    const outcome = rotated(file, before, made.version, activation, io.now())
    if (outcome.type === 'refused') return outcome
    const note = made.version.type === 'mac' ? MAC_BACK_UP : WRAPPED_BACK_UP
    return { ...outcome, stdout: `${outcome.stdout}in KMS: ${shownKey(made.version)}\n`, stderr: note + SEVERAL }
  }
  return changeVersions(file, change, io, { digest: digestOf(read.text) })
}

function wrapperOf(contents: Exclude<KeyringContents, { type: 'objects' }>, now: Date): string | undefined {
  if (contents.type === 'kms-mac') return undefined
  const active = activeAt<KeyVersion>(contents.versions, now)
  return active.type === 'wrapped' ? active.kmsKeyId : undefined
}

const shownKey = (version: { readonly type: string; readonly kmsKeyId?: string }) => version.kmsKeyId ?? 'none'

const UNCHANGED = 'nothing was changed'
const WRAPPED_BACK_UP =
  'Back the file up, and mind that it opens with this KMS key alone: `keys unwrap --to` makes a copy for a safe.\n'
const MAC_BACK_UP =
  'Nobody can copy this key: deleting it in KMS loses every object under it, unless you imported its key material.\n'
const SEVERAL =
  'Of several proxies, one that has not loaded the file yet cannot read what another writes: --activate-in.\n'

function fail(io: CliIo, ...reasons: readonly string[]): number {
  for (const reason of reasons) io.stderr(`${reason}\n`)
  return 1
}
