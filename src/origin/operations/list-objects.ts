import { isoDate, quoted, xmlAnswer, type Answer, type BucketCall } from '../call.js'
import { OWNER, type ObjectVersion } from '../model.js'
import { invalidArgument } from '../refusal.js'
import { branch, document, leaf } from '../xml.js'
import { byBytes, groupByDelimiter, readListing } from './listing.js'

interface Entry {
  readonly objectKey: string
  readonly version: ObjectVersion
}

/** ListObjects, version 1: pages by `marker`. */
export function listObjects(call: BucketCall): Answer {
  const listing = readListing(call.query, 'max-keys')
  const marker = call.query.get('marker') ?? ''
  const { entries, prefixes, next } = groupByDelimiter(entriesAfter(call, marker), nameOf, listing, marker)
  return xmlAnswer(
    document(
      'ListBucketResult',
      leaf('Name', call.bucket.name),
      leaf('Prefix', listing.show(listing.prefix)),
      leaf('Marker', listing.show(marker)),
      next.type === 'more' && listing.delimiter !== '' ? leaf('NextMarker', listing.show(next.name)) : '',
      leaf('MaxKeys', listing.limit),
      listing.delimiter === '' ? '' : leaf('Delimiter', listing.show(listing.delimiter)),
      listing.encodingElement,
      leaf('IsTruncated', next.type === 'more'),
      ...entries.map((entry) => contents(call, entry, listing.show, 'with-owner')),
      ...prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', listing.show(prefix)))),
    ),
  )
}

/** ListObjectsV2: pages by `continuation-token`, begins at `start-after`. */
export function listObjectsV2(call: BucketCall): Answer {
  const listing = readListing(call.query, 'max-keys')
  const token = call.query.get('continuation-token')
  const startAfter = call.query.get('start-after') ?? ''
  const after = token === undefined ? startAfter : nameInToken(token)
  const { entries, prefixes, next } = groupByDelimiter(entriesAfter(call, after), nameOf, listing, after)
  const owner = call.query.get('fetch-owner') === 'true' ? 'with-owner' : 'without-owner'
  return xmlAnswer(
    document(
      'ListBucketResult',
      leaf('Name', call.bucket.name),
      leaf('Prefix', listing.show(listing.prefix)),
      token === undefined ? '' : leaf('ContinuationToken', token),
      next.type === 'more' ? leaf('NextContinuationToken', tokenOf(next.name)) : '',
      startAfter === '' ? '' : leaf('StartAfter', listing.show(startAfter)),
      leaf('KeyCount', entries.length + prefixes.length),
      leaf('MaxKeys', listing.limit),
      listing.delimiter === '' ? '' : leaf('Delimiter', listing.show(listing.delimiter)),
      listing.encodingElement,
      leaf('IsTruncated', next.type === 'more'),
      ...entries.map((entry) => contents(call, entry, listing.show, owner)),
      ...prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', listing.show(prefix)))),
    ),
  )
}

const nameOf = (entry: Entry): string => entry.objectKey

function entriesAfter(call: BucketCall, after: string): readonly Entry[] {
  const entries: Entry[] = []
  for (const [objectKey, [version]] of call.bucket.objects) {
    if (version?.type === 'object' && byBytes(objectKey, after) > 0) entries.push({ objectKey, version })
  }
  return entries.sort((a, b) => byBytes(a.objectKey, b.objectKey))
}

function contents(
  call: BucketCall,
  { objectKey, version }: Entry,
  show: (name: string) => string,
  owner: 'with-owner' | 'without-owner',
): string {
  const { checksum } = version
  return branch(
    'Contents',
    leaf('Key', show(objectKey)),
    leaf('LastModified', isoDate(version.lastModified)),
    leaf('ETag', quoted(call.state, version.etag)),
    checksum.type === 'none'
      ? ''
      : leaf('ChecksumAlgorithm', checksum.algorithm.toUpperCase()) + leaf('ChecksumType', checksum.coverage),
    leaf('Size', version.size),
    owner === 'with-owner' ? branch('Owner', leaf('ID', OWNER.id), leaf('DisplayName', OWNER.name)) : '',
    leaf('StorageClass', version.storageClass),
  )
}

function tokenOf(name: string): string {
  return Buffer.from(`1${name}`).toString('base64')
}

function nameInToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8')
  if (text.startsWith('1')) return text.slice(1)
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
}
