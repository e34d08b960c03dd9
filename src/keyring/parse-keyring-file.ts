import type { Problem } from '../config/problem.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../s3/names.js'
import { once, oneOf, readList, readObject, readText, refuseOthers, type Members, type Report } from './json-fields.js'
import { isName, KEYRING_FORMAT, type KeyringContents, type ObjectEntry } from './keyring-file.js'
import { readKeyVersions, readMacVersions } from './parse-versions.js'
import { readKey } from './read-key.js'
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

const TYPE = {
  parse: oneOf('derived', 'fixed', 'kms-mac', 'objects'),
  otherwise: 'is neither "derived" nor "fixed" nor "kms-mac" nor "objects"',
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
  switch (type) {
    case 'derived':
    case 'fixed':
      return { type, name: name ?? '', ...readKeyVersions(entries, report) }
    case 'kms-mac':
      return { type, name: name ?? '', ...readMacVersions(entries, report) }
    case 'objects':
      return { type, name: name ?? '', objects: readEntries(entries, report) }
  }
}

const nameIn = (expected: ExpectedKeyring) => ({
  parse: (text: string) => ((expected === 'any' ? isName(text) : text === expected.name) ? text : undefined),
  otherwise:
    expected === 'any' ? 'is not a name' : `is not "${expected.name}", as the configuration calls this keyring`,
})

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
