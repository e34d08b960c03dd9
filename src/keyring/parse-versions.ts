import {
  checkOf,
  isName,
  type MacMaterial,
  type Material,
  type PlainMaterial,
  type RetiredVersion,
  type VersionHead,
  type VersionState,
  type WrappedMaterial,
} from './keyring-file.js'
import { parseInstant } from './instant.js'
import { once, oneOf, readObject, readText, refuseOthers, type Members, type Report } from './json-fields.js'
import { readCheck, readKey } from './read-key.js'

/** What a list of key versions held. */
export interface ReadVersions<M> {
  readonly versions: readonly (VersionHead & M)[]
  readonly retired: readonly RetiredVersion[]
}

/** Key versions of a keyring whose file holds their bytes, each plain or wrapped by KMS. */
export function readKeyVersions(
  entries: readonly unknown[],
  report: Report,
): ReadVersions<PlainMaterial | WrappedMaterial> {
  return readVersions(entries, ['key', 'wrappedKey', 'kmsKeyId'], readMaterial, report)
}

/** Key versions that name keys in KMS and hold nothing of them. */
export function readMacVersions(entries: readonly unknown[], report: Report): ReadVersions<MacMaterial> {
  return readVersions(entries, ['kmsKeyId'], readMac, report)
}

const STATE = {
  parse: oneOf('active', 'readable', 'pending', 'retired'),
  otherwise: 'is neither "active" nor "readable" nor "pending" nor "retired"',
}
const INSTANT = {
  parse: (text: string) => (parseInstant(text) === undefined ? undefined : text),
  otherwise: 'is not a time like 2026-11-23T20:00:00Z',
}
const ID = {
  parse: (text: string) => (isName(text) ? text : undefined),
  otherwise: 'is not 1 to 64 of letters, digits, ".", "_" and "-", or it is a reserved word',
}

type ReadMaterial<M> = (members: Members, path: string, report: Report) => M | undefined

type Entry<M> =
  | { readonly type: 'version'; readonly version: VersionHead & M }
  | { readonly type: 'retired'; readonly version: RetiredVersion }
  | { readonly type: 'wrong' }

const WRONG = { type: 'wrong' } as const

/** Where which id and which key was, and the places of versions of a state that only one may have. */
interface Seen {
  readonly ids: Map<string, string>
  /** By check value. */
  readonly keys: Map<string, string>
  readonly active: string[]
  readonly pending: string[]
}

function readVersions<M extends Material>(
  entries: readonly unknown[],
  materialFields: readonly string[],
  readMaterial: ReadMaterial<M>,
  report: Report,
): ReadVersions<M> {
  const seen: Seen = { ids: new Map(), keys: new Map(), active: [], pending: [] }
  const read = entries.map((entry, i): Entry<M> => {
    const path = `versions[${i}]`
    const members = readObject(entry, path, report)
    if (members === undefined) return WRONG
    const id = readText(members, 'id', path, report, ID)
    const state = readText(members, 'state', path, report, STATE)
    const created = readText(members, 'created', path, report, INSTANT)
    if (id !== undefined) once(seen.ids, id, path, 'id', report)
    if (state === 'retired') {
      const check = readTombstone(members, path, seen, report)
      if (id === undefined || created === undefined || check === undefined) return WRONG
      return { type: 'retired', version: { id, created, check } }
    }
    const more = state === 'pending' ? ['activateAt'] : []
    refuseOthers(members, ['id', 'state', 'created', ...materialFields, 'check', ...more], path, report)
    const stated = state === undefined ? undefined : readState(state, members, path, report)
    const material = readMaterial(members, path, report)
    if (state === 'active' || state === 'pending') seen[state].push(path)
    if (material !== undefined) {
      once(seen.keys, checkOf(material), path, material.type === 'plain' ? 'key' : 'check', report)
    }
    if (id === undefined || stated === undefined || created === undefined || material === undefined) return WRONG
    const head: VersionHead = { id, ...stated, created }
    return { type: 'version', version: { ...head, ...material } }
  })
  const versions = read.flatMap((one) => (one.type === 'version' ? [one.version] : []))
  const whole = !read.some(({ type }) => type === 'wrong')
  checkStates(seen, whole, report)
  if (whole) checkOrder(versions, seen, report)
  return { versions, retired: read.flatMap((one) => (one.type === 'retired' ? [one.version] : [])) }
}

function readTombstone(members: Members, path: string, { keys }: Seen, report: Report): string | undefined {
  refuseOthers(members, ['id', 'state', 'created', 'check'], path, report)
  const check = readCheck(members, path, report)
  if (check !== undefined) once(keys, check, path, 'check', report)
  return check
}

function readState(
  state: VersionState['state'],
  members: Members,
  path: string,
  report: Report,
): VersionState | undefined {
  if (state !== 'pending') return { state }
  const activateAt = readText(members, 'activateAt', path, report, INSTANT)
  return activateAt === undefined ? undefined : { state, activateAt }
}

// Where a version could not be read, none active may be that version's fault; two are wrong in any case.
function checkStates(seen: Seen, whole: boolean, report: Report): void {
  for (const state of ['active', 'pending'] as const) {
    if (seen[state].length < 2) continue
    report('versions', `has ${seen[state].length} ${state} key versions instead of one: ${seen[state].join(', ')}`)
  }
  if (seen.active.length === 0 && seen.keys.size > 0 && whole) report('versions', 'has no active key version')
}

/**
 * A file whose versions changed places was edited by something that does not know what it does. The places of
 * tombstones mean nothing.
 */
function checkOrder(versions: readonly VersionHead[], { ids }: Seen, report: Report): void {
  versions.forEach(({ id, created }, i) => {
    const before = versions[i - 1]
    if (before === undefined || Date.parse(before.created) <= Date.parse(created)) return
    report(
      `${ids.get(id)}.created`,
      `is before that of ${ids.get(before.id)}: key versions stand in the order in which they were made`,
    )
  })
}

const KMS_KEY_ID = {
  parse: (text: string) => (isKmsKeyId(text) ? text : undefined),
  otherwise: 'is not a key id, an ARN or an alias of KMS, such as alias/backups',
}

/**
 * Whether KMS could know a key by this text.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#KMS-Decrypt-request-KeyId
 */
export function isKmsKeyId(text: string): boolean {
  return /^[A-Za-z0-9:/_.-]{1,2048}$/.test(text)
}

/** What KMS makes of 32 bytes is far below its limit of 6144. */
const WRAPPED_KEY = {
  parse: (text: string) => {
    const bytes = Buffer.from(text, 'base64')
    return bytes.length > 0 && bytes.length <= 6144 && bytes.toString('base64') === text ? bytes : undefined
  },
  otherwise: 'is not 1 to 6144 bytes in base64 as RFC 4648, section 4, has it',
}

function readMaterial(members: Members, path: string, report: Report): PlainMaterial | WrappedMaterial | undefined {
  if (!Object.hasOwn(members, 'wrappedKey')) {
    if (Object.hasOwn(members, 'kmsKeyId')) report(`${path}.kmsKeyId`, 'has no meaning without wrappedKey')
    const key = readKey(members, path, report)
    return key === undefined ? undefined : { type: 'plain', key }
  }
  if (Object.hasOwn(members, 'key')) {
    report(`${path}.key`, 'is beside wrappedKey: a key version has one of the two')
  }
  const wrappedKey = readText(members, 'wrappedKey', path, report, WRAPPED_KEY)
  const kmsKeyId = readText(members, 'kmsKeyId', path, report, KMS_KEY_ID)
  const check = readCheck(members, path, report)
  return wrappedKey === undefined || kmsKeyId === undefined || check === undefined
    ? undefined
    : { type: 'wrapped', wrappedKey, kmsKeyId, check }
}

function readMac(members: Members, path: string, report: Report): MacMaterial | undefined {
  const kmsKeyId = readText(members, 'kmsKeyId', path, report, KMS_KEY_ID)
  const check = readCheck(members, path, report)
  return kmsKeyId === undefined || check === undefined ? undefined : { type: 'mac', kmsKeyId, check }
}
