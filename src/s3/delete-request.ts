import { S3Error } from './error.js'
import { type ObjectKey, type VersionId, parseObjectKey, parseVersionId } from './names.js'
import { readXml } from './xml-document.js'
import { escapeXml, fitsXml } from './xml-text.js'

/** One object of a batch delete. Without `versionId`: its latest version; `etag`: only if it is still this one. */
export interface DeleteEntry {
  readonly objectKey: ObjectKey
  readonly versionId?: VersionId
  readonly etag?: string
}

export interface DeleteRequest {
  readonly objects: readonly DeleteEntry[]
  /** The answer names failures only. */
  readonly quiet: boolean
}

const MAX_OBJECTS = 1000
const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
/** Conditions of directory buckets. Leaving one out would delete more than was asked. */
const NOT_IMPLEMENTED = ['LastModifiedTime', 'Size']

/**
 * Reads the document of DeleteObjects, and nothing but it: an element that is unknown, missing, empty, doubled or in the
 * wrong place is an error, because every object named here is checked against the identity's grants.
 *
 * @throws S3Error MalformedXML, KeyTooLongError, InvalidArgument (a version id), NotImplemented (conditions that only
 *   directory buckets know)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export function parseDeleteRequest(bytes: Uint8Array): DeleteRequest {
  const objects: DeleteEntry[] = []
  const path: string[] = []
  let quiet: boolean | undefined
  let entry = new Map<string, string>()
  let content = ''
  readXml(bytes, {
    open(name) {
      path.push(name)
      content = ''
      const place = path.join('/')
      if (NOT_IMPLEMENTED.some((condition) => place === `Delete/Object/${condition}`)) {
        throw new S3Error('NotImplemented', {
          message: `${name} is a condition of directory buckets; not implemented.`,
        })
      }
      if (!PLACES.has(place)) malformed(`an element ${name}`)
      if (place === 'Delete/Object') entry = new Map()
      if (path.length === 3 && entry.has(name)) malformed(`two elements ${name}`)
    },
    text(text) {
      content += text
      if (!LEAVES.has(path.join('/')) && text.trim() !== '') malformed('text between elements')
    },
    close(name) {
      const place = path.join('/')
      path.pop()
      if (place === 'Delete/Object') {
        objects.push(entryOf(entry))
        if (objects.length > MAX_OBJECTS) malformed(`more than ${MAX_OBJECTS} objects`)
      } else if (place === 'Delete/Quiet') {
        if (quiet !== undefined) malformed('two elements Quiet')
        quiet = BOOLEANS.get(content.trim()) ?? malformed('Quiet is no boolean')
      } else if (LEAVES.has(place)) {
        if (content === '') malformed(`an empty ${name}`)
        entry.set(name, content)
      }
    },
  })
  if (objects.length === 0) malformed('no object')
  return { objects, quiet: quiet ?? false }
}

const LEAVES = new Set(['Delete/Quiet', 'Delete/Object/Key', 'Delete/Object/VersionId', 'Delete/Object/ETag'])
const PLACES = new Set(['Delete', 'Delete/Object', ...LEAVES])

/**
 * The document again, from what was read: what S3 deletes is then exactly what was checked.
 *
 * @throws S3Error MalformedXML where a name holds a character that XML cannot (parseDeleteRequest gives none)
 */
export function formatDeleteRequest({ objects, quiet }: DeleteRequest): Buffer {
  const entries = objects.map(
    ({ objectKey, versionId, etag }) =>
      `<Object>${element('Key', objectKey)}${element('VersionId', versionId)}${element('ETag', etag)}</Object>`,
  )
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `${entries.join('')}<Quiet>${String(quiet)}</Quiet></Delete>`,
    'utf8',
  )
}

function element(name: string, text: string | undefined): string {
  if (text === undefined) return ''
  if (!fitsXml(text)) malformed(`a ${name} that XML cannot hold`)
  return `<${name}>${escapeXml(text)}</${name}>`
}

function entryOf(entry: ReadonlyMap<string, string>): DeleteEntry {
  const versionId = entry.get('VersionId')
  const etag = entry.get('ETag')
  return {
    objectKey: parseObjectKey(entry.get('Key') ?? malformed('an object without Key')),
    ...(versionId === undefined ? {} : { versionId: parseVersionId(versionId) }),
    ...(etag === undefined ? {} : { etag }),
  }
}

function malformed(cause: string): never {
  throw new S3Error('MalformedXML', { cause })
}
