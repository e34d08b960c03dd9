import { checkOf, isName, type KeyVersion, type MacVersion, type Material, type VersionHead } from './keyring-file.js'
import { once, oneOf, readObject, readText, refuseOthers, type Members, type Report } from './json-fields.js'
import { readCheck, readKey } from './read-key.js'

/** Key versions of a keyring whose file holds their bytes, each plain or wrapped by KMS. */
export function readKeyVersions(entries: readonly unknown[], report: Report): readonly KeyVersion[] {
  return readVersions(entries, ['key', 'wrappedKey', 'kmsKeyId'], readMaterial, report)
}

/** Key versions that name keys in KMS and hold nothing of them. */
export function readMacVersions(entries: readonly unknown[], report: Report): readonly MacVersion[] {
  return readVersions(entries, ['kmsKeyId'], readMac, report)
}

const STATE = { parse: oneOf('active', 'readable'), otherwise: 'is neither "active" nor "readable"' }
const CREATED = {
  parse: (text: string) => (isInstant(text) ? text : undefined),
  otherwise: 'is not a time like 2026-11-23T20:00:00Z',
}
const ID = {
  parse: (text: string) => (isName(text) ? text : undefined),
  otherwise: 'is not 1 to 64 of letters, digits, ".", "_" and "-", or it is a reserved word',
}

type ReadMaterial<M> = (members: Members, path: string, report: Report) => M | undefined

function readVersions<M extends Material<KeyVersion | MacVersion>>(
  entries: readonly unknown[],
  materialFields: readonly string[],
  readMaterial: ReadMaterial<M>,
  report: Report,
): readonly (VersionHead & M)[] {
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()
  const active: string[] = []
  const versions = entries.flatMap((entry, i): (VersionHead & M)[] => {
    const path = `versions[${i}]`
    const members = readObject(entry, path, report)
    if (members === undefined) return []
    refuseOthers(members, ['id', 'state', 'created', ...materialFields, 'check'], path, report)
    const id = readText(members, 'id', path, report, ID)
    const state = readText(members, 'state', path, report, STATE)
    const created = readText(members, 'created', path, report, CREATED)
    const material = readMaterial(members, path, report)
    if (state === 'active') active.push(path)
    if (id !== undefined) once(ids, id, path, 'id', report)
    if (material !== undefined) {
      once(keys, checkOf(material), path, material.type === 'plain' ? 'key' : 'check', report)
    }
    return id === undefined || state === undefined || created === undefined || material === undefined
      ? []
      : [{ id, state, created, ...material }]
  })
  checkStates(entries, active, versions.length, report)
  checkOrder(versions, entries.length, report)
  return versions
}

// Where a version could not be read, none active may be that version's fault; two active are wrong in any case.
function checkStates(entries: readonly unknown[], active: readonly string[], read: number, report: Report): void {
  if (active.length > 1)
    report('versions', `has ${active.length} active key versions instead of one: ${active.join(', ')}`)
  if (active.length === 0 && read > 0 && read === entries.length) report('versions', 'has no active key version')
}

/** A file whose versions changed places was edited by something that does not know what it does. */
function checkOrder(versions: readonly VersionHead[], entries: number, report: Report): void {
  if (versions.length !== entries) return
  versions.forEach(({ created }, i) => {
    const before = versions[i - 1]
    if (before === undefined || Date.parse(before.created) <= Date.parse(created)) return
    report(
      `versions[${i}].created`,
      `is before that of versions[${i - 1}]: key versions stand in the order in which they were made`,
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

function readMaterial(members: Members, path: string, report: Report): Material<KeyVersion> | undefined {
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

function readMac(members: Members, path: string, report: Report): Material<MacVersion> | undefined {
  const kmsKeyId = readText(members, 'kmsKeyId', path, report, KMS_KEY_ID)
  const check = readCheck(members, path, report)
  return kmsKeyId === undefined || check === undefined ? undefined : { type: 'mac', kmsKeyId, check }
}

function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text)) return false
  const time = new Date(text)
  // 30 February parses, as 2 March.
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 19))
}
