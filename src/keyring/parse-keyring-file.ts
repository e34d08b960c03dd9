import type { KeyObject } from 'node:crypto'
import type { Problem } from '../config/problem.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../s3/names.js'
import { checkValue } from './check-value.js'
import { readList, readObject, readText, refuseOthers, type Members, type Report } from './json-fields.js'
import { keyFromBase64 } from './key-bytes.js'
import { isName, KEYRING_FORMAT, type KeyringContents, type KeyVersion, type ObjectEntry } from './keyring-file.js'
import { parseStrictJson } from './strict-json.js'

/** What the configuration says of the file; `any` where there is none. */
export type ExpectedKeyring = Pick<KeyringContents, 'name' | 'type'> | 'any'

export type ParsedKeyringFile =
  | { readonly type: 'keyring'; readonly contents: KeyringContents }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

/**
 * Reads a keyring file, or names everything that is wrong with it. A file that is not exactly right does not load: a
 * wrong key encrypts as well as the right one, and nobody notices until it is too late.
 */
export function parseKeyringFile(text: string, expected: ExpectedKeyring): ParsedKeyringFile {
  const json = parseStrictJson(text)
  if (json.type === 'problems') return json
  const problems = [...json.duplicates]
  const contents = readContents(json.value, expected, (path, message) => problems.push({ path, message }))
  if (problems.length > 0 || contents === undefined) return { type: 'problems', problems }
  return { type: 'keyring', contents }
}

const oneOf =
  <const T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text)

const TYPE = {
  parse: oneOf('derived', 'fixed', 'objects'),
  otherwise: 'is neither "derived" nor "fixed" nor "objects"',
}
const FORMAT = { parse: oneOf(KEYRING_FORMAT), otherwise: `is not "${KEYRING_FORMAT}"` }

function readContents(value: unknown, expected: ExpectedKeyring, report: Report): KeyringContents | undefined {
  const members = readObject(value, 'document', report)
  if (members === undefined) return undefined
  // In another format nothing else means what it means here.
  if (readText(members, 'format', '', report, FORMAT) === undefined) return undefined
  const name = readText(members, 'name', '', report, nameIn(expected))
  const type = readText(members, 'type', '', report, TYPE)
  if (type === undefined) return undefined
  if (expected !== 'any' && type !== expected.type)
    report('type', `is not "${expected.type}", as the configuration says`)
  const list = type === 'objects' ? 'objects' : 'versions'
  refuseOthers(members, ['format', 'name', 'type', list], '', report)
  const entries = readList(members[list], list, report)
  if (type === 'objects') return { type, name: name ?? '', objects: readEntries(entries, report) }
  return { type, name: name ?? '', versions: readVersions(entries, report) }
}

const nameIn = (expected: ExpectedKeyring) => ({
  parse: (text: string) => ((expected === 'any' ? isName(text) : text === expected.name) ? text : undefined),
  otherwise:
    expected === 'any' ? 'is not a name' : `is not "${expected.name}", as the configuration calls this keyring`,
})

const STATE = { parse: oneOf('active', 'readable'), otherwise: 'is neither "active" nor "readable"' }
const CREATED = {
  parse: (text: string) => (isInstant(text) ? text : undefined),
  otherwise: 'is not a time like 2026-11-23T20:00:00Z',
}
const ID = {
  parse: (text: string) => (isName(text) ? text : undefined),
  otherwise: 'is not 1 to 64 of letters, digits, ".", "_" and "-", or it is a reserved word',
}

function readVersions(entries: readonly unknown[], report: Report): readonly KeyVersion[] {
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()
  const active: string[] = []
  const versions = entries.flatMap((entry, i): KeyVersion[] => {
    const path = `versions[${i}]`
    const members = readObject(entry, path, report)
    if (members === undefined) return []
    refuseOthers(members, ['id', 'state', 'created', 'key', 'check'], path, report)
    const id = readText(members, 'id', path, report, ID)
    const state = readText(members, 'state', path, report, STATE)
    const created = readText(members, 'created', path, report, CREATED)
    const key = readKey(members, path, report)
    if (state === 'active') active.push(path)
    if (id !== undefined) once(ids, id, path, 'id', report)
    if (key !== undefined) once(keys, checkValue(key), path, 'key', report)
    return id === undefined || state === undefined || created === undefined || key === undefined
      ? []
      : [{ id, state, created, key }]
  })
  // Where a version could not be read, none active may be that version's fault; two active are wrong in any case.
  if (active.length > 1)
    report('versions', `has ${active.length} active key versions instead of one: ${active.join(', ')}`)
  if (active.length === 0 && versions.length > 0 && versions.length === entries.length) {
    report('versions', 'has no active key version')
  }
  return versions
}

function once(seen: Map<string, string>, value: string, path: string, what: string, report: Report): void {
  const before = seen.get(value)
  if (before === undefined) seen.set(value, path)
  else report(`${path}.${what}`, `is the ${what} of ${before} already`)
}

const BUCKET = { parse: accepted(parseBucket), otherwise: 'is not the name of a bucket' }
const OBJECT_KEY = { parse: accepted(parseObjectKey), otherwise: 'is not an object key' }
const VERSION_ID = { parse: accepted(parseVersionId), otherwise: 'is not a version id' }

function readEntries(entries: readonly unknown[], report: Report): readonly ObjectEntry[] {
  const seen = new Map<string, string>()
  return entries.flatMap((entry, i): ObjectEntry[] => {
    const path = `objects[${i}]`
    const members = readObject(entry, path, report)
    if (members === undefined) return []
    refuseOthers(members, ['bucket', 'objectKey', 'versionId', 'key', 'check'], path, report)
    const bucket = readText(members, 'bucket', path, report, BUCKET)
    const objectKey = readText(members, 'objectKey', path, report, OBJECT_KEY)
    const version = readVersionOf(members, path, report)
    const key = readKey(members, path, report)
    if (bucket === undefined || objectKey === undefined || version === undefined) return []
    once(seen, JSON.stringify([bucket, objectKey, version]), path, 'objectKey', report)
    return key === undefined ? [] : [{ bucket, objectKey, version, key }]
  })
}

function readVersionOf(members: Members, path: string, report: Report): ObjectEntry['version'] | undefined {
  if (!Object.hasOwn(members, 'versionId')) return { type: 'any' }
  const versionId = readText(members, 'versionId', path, report, VERSION_ID)
  return versionId === undefined ? undefined : { type: 'id', versionId }
}

const CHECK = {
  parse: (text: string) => (/^[0-9a-f]{16}$/.test(text) ? text : undefined),
  otherwise: 'is not 16 hex digits',
}

function readKey(members: Members, path: string, report: Report): KeyObject | undefined {
  const check = readText(members, 'check', path, report, CHECK)
  const result = readText(members, 'key', path, report, { parse: keyFromBase64, otherwise: '' })
  if (result === undefined) return undefined
  if (result.type === 'refused') {
    report(`${path}.key`, result.message)
    return undefined
  }
  if (check !== undefined && check !== checkValue(result.key)) {
    report(`${path}.check`, 'does not belong to the key beside it: one of the two was changed or damaged')
  }
  return result.key
}

/** A parser that throws, as one that gives undefined; JSON's escapes can spell text that is not Unicode. */
function accepted<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (text) => {
    if (/\p{Surrogate}/u.test(text)) return undefined
    try {
      return parse(text)
    } catch {
      return undefined
    }
  }
}

function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text)) return false
  const time = new Date(text)
  // 30 February parses, as 2 March.
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 19))
}
