import { decodeBytes } from '../s3/encode.js'
import { type Bucket, type ObjectKey, type VersionId, parseObjectKey, parseVersionId } from '../s3/names.js'
import type { UpstreamAccess } from './access.js'
import { MaintenanceError, refusedBy } from './error.js'
import { type XmlElement, childrenOf, readTree, textOf } from './xml-tree.js'

/** One object, or one version of one, as a list shows it. */
export interface ListedObject {
  readonly objectKey: ObjectKey
  /** `latest` where the list is not one of versions. */
  readonly version: { readonly type: 'latest' } | { readonly type: 'id'; readonly versionId: VersionId }
  readonly isLatest: boolean
  /** bytes */
  readonly size: number
  /** With its quotes. */
  readonly etag: string
  readonly lastModified: string
  readonly storageClass: string
}

export interface ListedUpload {
  readonly objectKey: ObjectKey
  readonly uploadId: string
  readonly initiated: string
}

/** At most 1000 entries and where the next page starts. */
export interface Page<Entry> {
  readonly entries: readonly Entry[]
  /** The last name on this page: `after` for whoever wants to go on here later. */
  readonly last: string
}

/**
 * The objects under a prefix in the order of their names, latest versions only, page by page.
 *
 * @param after names up to this one are left out; `''` for none
 * @throws MaintenanceError
 */
export async function* listObjects(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  prefix: string,
  after = '',
): AsyncGenerator<Page<ListedObject>> {
  let token: string | 'none' = 'none'
  let last = after
  for (;;) {
    const from: readonly (readonly [string, string])[] =
      token !== 'none' ? [['continuation-token', token]] : after !== '' ? [['start-after', after]] : []
    const query = [['list-type', '2'], ...from] as const
    const { root, name } = await page(access, bucket, prefix, query, 'ListBucketResult')
    const entries = childrenOf(root, 'Contents').map((entry) => listed(entry, name(textOf(entry, 'Key')), 'latest'))
    // A page may be empty and not the last one; whoever goes on behind it must not begin anew.
    last = entries.at(-1)?.objectKey ?? last
    yield { entries, last }
    if (textOf(root, 'IsTruncated') !== 'true') return
    token = following(token, textOf(root, 'NextContinuationToken'))
  }
}

/** Every version under a prefix, without delete markers; of one object the newest first. @throws MaintenanceError */
export async function* listVersions(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<Page<ListedObject>> {
  let from: readonly (readonly [string, string])[] = []
  for (;;) {
    const { root, name } = await page(access, bucket, prefix, [['versions', ''], ...from], 'ListVersionsResult')
    const entries = childrenOf(root, 'Version').map((entry) => listed(entry, name(textOf(entry, 'Key')), 'id'))
    yield { entries, last: entries.at(-1)?.objectKey ?? '' }
    if (textOf(root, 'IsTruncated') !== 'true') return
    const key = name(textOf(root, 'NextKeyMarker'))
    const id = textOf(root, 'NextVersionIdMarker')
    following(JSON.stringify(from), JSON.stringify([['key-marker', key], ...marker('version-id-marker', id)]))
    from = [['key-marker', key], ...marker('version-id-marker', id)]
  }
}

/** Multipart uploads that are neither completed nor aborted. @throws MaintenanceError */
export async function* listUploads(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<Page<ListedUpload>> {
  let from: readonly (readonly [string, string])[] = []
  for (;;) {
    const { root, name } = await page(access, bucket, prefix, [['uploads', ''], ...from], 'ListMultipartUploadsResult')
    const entries = childrenOf(root, 'Upload').map((entry) => ({
      objectKey: name(textOf(entry, 'Key')),
      uploadId: textOf(entry, 'UploadId'),
      initiated: textOf(entry, 'Initiated'),
    }))
    yield { entries, last: entries.at(-1)?.objectKey ?? '' }
    if (textOf(root, 'IsTruncated') !== 'true') return
    const key = name(textOf(root, 'NextKeyMarker'))
    const next = [['key-marker', key], ...marker('upload-id-marker', textOf(root, 'NextUploadIdMarker'))] as const
    following(JSON.stringify(from), JSON.stringify(next))
    from = next
  }
}

/** Names come percent-encoded, because XML cannot hold every object key. */
async function page(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  prefix: string,
  query: readonly (readonly [string, string])[],
  rootName: string,
): Promise<{ readonly root: XmlElement; readonly name: (text: string) => ObjectKey }> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'bucket', bucket },
    query: new Map([...query, ['encoding-type', 'url'], ...(prefix === '' ? [] : [['prefix', prefix] as const])]),
    headers: {},
    body: 'none',
  })
  if (answer.status !== 200) throw refusedBy(`listing s3://${bucket}/${prefix}`, answer)
  const root = readTree(answer.body, rootName)
  const isEncoded = textOf(root, 'EncodingType') === 'url'
  return { root, name: (text) => nameOf(text, isEncoded) }
}

function nameOf(text: string, isEncoded: boolean): ObjectKey {
  try {
    return parseObjectKey(isEncoded ? decodeBytes(text.replaceAll('+', ' ')) : text)
  } catch (cause) {
    throw new MaintenanceError(`the upstream lists a name that is no object key: ${JSON.stringify(text)}`, { cause })
  }
}

function listed(entry: XmlElement, objectKey: ObjectKey, versions: 'latest' | 'id'): ListedObject {
  const size = textOf(entry, 'Size')
  if (!/^\d{1,15}$/.test(size)) throw new MaintenanceError('the upstream lists an object without its size')
  return {
    objectKey,
    version:
      versions === 'latest'
        ? { type: 'latest' }
        : { type: 'id', versionId: parseVersionId(textOf(entry, 'VersionId') || 'null') },
    isLatest: versions === 'latest' || textOf(entry, 'IsLatest') === 'true',
    size: Number(size),
    etag: textOf(entry, 'ETag'),
    lastModified: textOf(entry, 'LastModified'),
    storageClass: textOf(entry, 'StorageClass') || 'STANDARD',
  }
}

const marker = (name: string, value: string): readonly (readonly [string, string])[] =>
  value === '' ? [] : [[name, value]]

/** Where the next page starts. A store that gives the same place again would be asked for ever. */
export function following(before: string, next: string): string {
  if (next === '' || next === before) throw new MaintenanceError('the upstream does not say where its list goes on')
  return next
}
