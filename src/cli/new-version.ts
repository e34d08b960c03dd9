import { checkValue } from '../keyring/check-value.js'
import { keyFromBytes } from '../keyring/key-bytes.js'
import { isName, type PlainMaterial, type VersionHead } from '../keyring/keyring-file.js'
import type { CliIo } from './io.js'

/** A key version whose key was just made. */
export type NewPlainVersion = Pick<VersionHead, 'id' | 'created'> & PlainMaterial

export type MadeVersion =
  { readonly type: 'made'; readonly version: NewPlainVersion } | { readonly type: 'refused'; readonly reason: string }

/** A key version with a new key; without an id it gets one from the date and the check value. */
export function newVersion(id: string | undefined, io: Pick<CliIo, 'now' | 'randomBytes'>): MadeVersion {
  if (id !== undefined && !isName(id)) return { type: 'refused', reason: `--id must be ${NAME_RULE}` }
  const made = keyFromBytes(io.randomBytes(32))
  if (made.type === 'refused') {
    return { type: 'refused', reason: `the system's randomness gave no key: it ${made.message}` }
  }
  const created = io.now().toISOString()
  return {
    type: 'made',
    version: { id: id ?? ownId(created, checkValue(made.key)), created, type: 'plain', key: made.key },
  }
}

export const NAME_RULE = '1 to 64 of letters, digits, ".", "_" and "-", and not a reserved word'

export const BACK_UP =
  'Back the file up before anything is encrypted with it: without the key, nobody can read those objects.\n'

/** Made apart, by two people on one day, two key versions still have two ids. */
export const ownId = (created: string, check: string) => `${created.slice(0, 10)}-${check.slice(0, 6)}`
