import { digestOf } from '../keyring/create.js'
import { formatKeyringFile, type KeyringContents, type VersionHead } from '../keyring/keyring-file.js'
import { parseKeyringFile } from '../keyring/parse-keyring-file.js'
import { successionProblems } from '../keyring/successor.js'
import type { CliIo } from './io.js'
import { changeKeyringFile } from './keyring-storage.js'

/** A keyring of key versions, wherever their bytes are. */
export type AnyVersions = Exclude<KeyringContents, { type: 'objects' }>

export type Change =
  | { readonly type: 'changed'; readonly contents: AnyVersions; readonly stdout: string; readonly stderr: string }
  | { readonly type: 'refused'; readonly reasons: readonly string[] }

export const refused = (...reasons: readonly string[]): Change => ({ type: 'refused', reasons })

/**
 * Changes the key versions of a keyring file, whole or not at all, and says so. A result that running proxies would
 * refuse is not written.
 *
 * @param known what the caller read and waited with; a file that is another by now is left as it is
 * @returns the exit code
 */
export function changeVersions(
  file: string,
  change: (contents: AnyVersions) => Change,
  io: CliIo,
  known: { readonly digest: string } | 'anything' = 'anything',
): number {
  let outcome: Change = refused()
  const stored = changeKeyringFile(file, (before) => {
    if (known !== 'anything' && known.digest !== digestOf(before)) {
      outcome = refused(`${file} was changed by somebody else meanwhile; run the command again`)
      return undefined
    }
    const parsed = parseKeyringFile(before, 'any')
    if (parsed.type === 'problems') {
      outcome = refused(...parsed.problems.map(({ path, message }) => `${file}: ${path} ${message}`))
      return undefined
    }
    if (parsed.contents.type === 'objects') {
      outcome = refused(`${file}: a keyring of single objects has no key versions`)
      return undefined
    }
    outcome = change(parsed.contents)
    if (outcome.type === 'refused') return undefined
    const text = formatKeyringFile(outcome.contents)
    assertFollows(parsed.contents, text)
    return text
  })
  if (stored.type === 'stored' && outcome.type === 'changed') {
    io.stdout(outcome.stdout)
    io.stderr(outcome.stderr)
    return 0
  }
  const reasons = stored.type === 'failed' ? [stored.reason] : outcome.type === 'refused' ? outcome.reasons : []
  for (const line of [...reasons, 'nothing was changed']) io.stderr(`${line}\n`)
  return 1
}

/** The same keyring with other states, or less of its versions. */
export function withVersions(
  contents: AnyVersions,
  change: <V extends VersionHead>(versions: readonly V[]) => readonly V[],
): AnyVersions {
  return contents.type === 'kms-mac'
    ? { ...contents, versions: change(contents.versions) }
    : { ...contents, versions: change(contents.versions) }
}

/** A mistake of ours must not cost anybody a key. */
function assertFollows(before: AnyVersions, text: string): void {
  const after = parseKeyringFile(text, before)
  const problems = after.type === 'problems' ? after.problems : successionProblems(before, after.contents)
  const [first] = problems
  if (first !== undefined) throw new TypeError(`the changed keyring would not load: ${first.path} ${first.message}`)
}
