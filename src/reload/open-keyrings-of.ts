import type { Config } from '../config/types.js'
import type { KeyringOpener } from '../keyring-files.js'
import type { Logger } from '../telemetry/logger.js'
import type { OpenedKeyring } from '../keyring/create.js'
import { sameValue } from '../config/compare.js'
import { successionProblems } from '../keyring/successor.js'

export type OpenedFor =
  /** Keyrings that stay are asked for when they are needed: their files are followed meanwhile. */
  | { readonly type: 'keyrings'; readonly keyrings: () => readonly OpenedKeyring[] }
  | { readonly type: 'refused'; readonly problems: readonly string[] }

/**
 * The keyrings of a new configuration: those whose configuration is as before stay as they are, the others are opened. One
 * that has the name of one before must be able to follow it, as a changed file must.
 */
export async function openKeyringsOf(
  { keyrings }: Config,
  inUse: () => readonly OpenedKeyring[],
  opener: KeyringOpener,
  log: Logger,
): Promise<OpenedFor> {
  const before = inUse()
  const problems: string[] = []
  const opening = keyrings.map(async (config): Promise<OpenedKeyring | 'stays'> => {
    const old = before.find(({ config: { name } }) => name === config.name)
    if (old !== undefined && sameValue(old.config, config)) return 'stays'
    const result = await opener.open(config, opener.read(config.file))
    if (result.type === 'problems') {
      problems.push(...result.problems.map(({ path, message }) => `${path}: ${message}`))
      return 'stays'
    }
    for (const { message } of result.warnings) log.warn({ keyring: config.name, reason: message }, 'keyring file')
    if (old === undefined) return result.opened
    const unfit = successionProblems(old.contents, result.opened.contents)
    problems.push(...unfit.map(({ path, message }) => `${config.file}: ${path} ${message}`))
    return result.opened
  })
  const opened = await Promise.all(opening)
  if (problems.length > 0) return { type: 'refused', problems }
  const find = (name: string): OpenedKeyring => {
    const found = inUse().find(({ config }) => config.name === name)
    if (found === undefined) throw new TypeError('a keyring that stays is gone')
    return found
  }
  return {
    type: 'keyrings',
    keyrings: () => opened.map((one, i) => (one === 'stays' ? find((keyrings[i] as { name: string }).name) : one)),
  }
}
