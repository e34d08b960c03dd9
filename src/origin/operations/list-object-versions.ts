import { isoDate, quoted, xmlAnswer, type Answer, type BucketCall } from '../call.js'
import { OWNER, type Version } from '../model.js'
import { invalidArgument } from '../refusal.js'
import { branch, document, leaf } from '../xml.js'
import { byBytes, groupByDelimiter, readListing } from './listing.js'

interface Entry {
  readonly objectKey: string
  readonly version: Version
  readonly latest: boolean
}

/** Every version and delete marker, an object key's newest first. */
export function listObjectVersions(call: BucketCall): Answer {
  const { query } = call
  const listing = readListing(query, 'max-keys')
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('version-id-marker') ?? ''
  if (idMarker !== '' && keyMarker === '') {
    throw invalidArgument(
      'version-id-marker',
      idMarker,
      'A version-id marker cannot be specified without a key marker.',
    )
  }
  const { entries, prefixes, next } = groupByDelimiter(
    entriesAfter(call, keyMarker, idMarker),
    (entry) => entry.objectKey,
    listing,
    keyMarker,
  )
  const more =
    next.type === 'end'
      ? []
      : [
          leaf('NextKeyMarker', listing.show(next.name)),
          next.entry === undefined ? '' : leaf('NextVersionIdMarker', next.entry.version.versionId),
        ]
  return xmlAnswer(
    document(
      'ListVersionsResult',
      leaf('Name', call.bucket.name),
      leaf('Prefix', listing.show(listing.prefix)),
      leaf('KeyMarker', listing.show(keyMarker)),
      leaf('VersionIdMarker', idMarker),
      ...more,
      leaf('MaxKeys', listing.limit),
      listing.delimiter === '' ? '' : leaf('Delimiter', listing.show(listing.delimiter)),
      listing.encodingElement,
      leaf('IsTruncated', next.type === 'more'),
      ...entries.map((entry) => element(call, entry, listing.show)),
      ...prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', listing.show(prefix)))),
    ),
  )
}

function entriesAfter(call: BucketCall, keyMarker: string, idMarker: string): readonly Entry[] {
  const objectKeys = [...call.bucket.objects.keys()].sort(byBytes)
  return objectKeys.flatMap((objectKey) => {
    const order = keyMarker === '' ? 1 : byBytes(objectKey, keyMarker)
    if (order < 0 || (order === 0 && idMarker === '')) return []
    const versions = call.bucket.objects.get(objectKey) ?? []
    const entries = versions.map((version, index) => ({ objectKey, version, latest: index === 0 }))
    if (order > 0) return entries
    return entries.slice(entries.findIndex((entry) => entry.version.versionId === idMarker) + 1)
  })
}

function element(call: BucketCall, { objectKey, version, latest }: Entry, show: (name: string) => string): string {
  const head = [
    leaf('Key', show(objectKey)),
    leaf('VersionId', version.versionId),
    leaf('IsLatest', latest),
    leaf('LastModified', isoDate(version.lastModified)),
  ]
  const owner = branch('Owner', leaf('ID', OWNER.id), leaf('DisplayName', OWNER.name))
  if (version.type === 'delete-marker') return branch('DeleteMarker', ...head, owner)
  return branch(
    'Version',
    ...head,
    leaf('ETag', quoted(call.state, version.etag)),
    leaf('Size', version.size),
    owner,
    leaf('StorageClass', version.storageClass),
  )
}
