import type { KeyReference } from '../keyring/port.js'
import { selectKeys } from '../keyring/select.js'
import { type Bucket, parseBucket } from '../s3/names.js'
import type { UpstreamAccess } from './access.js'
import { forEachBounded } from './bounded.js'
import { MaintenanceError, refusedBy } from './error.js'
import { following, listVersions, type ListedObject } from './list.js'
import { lookAt, type Look } from './look.js'
import { childrenOf, readTree, textOf } from './xml-tree.js'

/** One stored version of an object and what opens it. */
export interface Surveyed {
  readonly bucket: Bucket
  readonly object: ListedObject
  readonly look: Look | { readonly type: 'no-rule' } | { readonly type: 'plain-rule' }
}

export interface SurveyOptions {
  /** HEADs at a time */
  readonly width: number
  /** Objects whose rule it says no to are left out and cost no request. */
  readonly wanted: (reference: KeyReference) => boolean
}

/**
 * Looks at every object and every old version that `objects` gives: which key version opens it.
 *
 * @throws MaintenanceError
 */
export async function survey(
  access: Pick<UpstreamAccess, 'send' | 'rules'>,
  bucket: Bucket,
  objects: AsyncIterable<ListedObject> | Iterable<ListedObject>,
  { width, wanted }: SurveyOptions,
  tell: (surveyed: Surveyed) => void,
): Promise<void> {
  await forEachBounded(objects, width, async (object) => {
    const reference = selectKeys(access.rules, bucket, object.objectKey)
    if (reference === 'no-rule') tell({ bucket, object, look: { type: 'no-rule' } })
    else if (wanted(reference)) tell({ bucket, object, look: await lookAtOne(access, reference, bucket, object) })
  })
}

async function lookAtOne(
  access: Pick<UpstreamAccess, 'send'>,
  reference: KeyReference,
  bucket: Bucket,
  { objectKey, isLatest, version }: ListedObject,
): Promise<Surveyed['look']> {
  if (reference.type === 'plain') return { type: 'plain-rule' }
  // In a bucket that never had versions, the only one is called null and needs no name.
  const isUnnamed = isLatest && version.type === 'id' && version.versionId === 'null'
  const scope = {
    bucket,
    bucketIdentity: reference.bucketIdentity,
    objectKey,
    version: isUnnamed ? ({ type: 'latest' } as const) : version,
  }
  const look = await lookAt(access, reference, scope)
  if (!isUnnamed || isOfThatVersion(look)) return look
  // Since it was listed, a client has put a newer version or a delete marker on top of it.
  return lookAt(access, reference, { ...scope, version })
}

/** Whether the object that was found without naming a version can be the one that is called null. */
const isOfThatVersion = (look: Look): boolean =>
  'head' in look && (look.head.get('x-amz-version-id') ?? 'null') === 'null'

/** Every object and every old version under a prefix. @throws MaintenanceError */
export async function* everyVersion(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<ListedObject> {
  for await (const { entries } of listVersions(access, bucket, prefix)) yield* entries
}

/**
 * At most `size` of them, each with the same chance (Vitter's algorithm R). All names are listed, few objects looked at.
 *
 * @param random gives a whole number below its argument
 */
export async function sampleOf<T>(
  items: AsyncIterable<T>,
  size: number,
  random: (below: number) => number,
): Promise<readonly T[]> {
  const sample: T[] = []
  let seen = 0
  for await (const item of items) {
    seen += 1
    const place = sample.length < size ? sample.length : random(seen)
    if (place < size) sample[place] = item
  }
  return sample
}

/**
 * The buckets that the credentials of the upstream own, all pages of them. Stores that know no pages give all at once.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 * @throws MaintenanceError
 */
export async function listBuckets(access: Pick<UpstreamAccess, 'send'>): Promise<readonly Bucket[]> {
  const buckets = new Set<Bucket>()
  let token = ''
  for (;;) {
    const answer = await access.send({
      method: 'GET',
      target: { type: 'service' },
      query: new Map([
        ['max-buckets', String(BUCKETS_OF_A_PAGE)],
        ...(token === '' ? [] : [['continuation-token', token] as const]),
      ]),
      headers: {},
      body: 'none',
    })
    if (answer.status !== 200) throw refusedBy('listing the buckets', answer)
    const root = readTree(answer.body, 'ListAllMyBucketsResult')
    for (const list of childrenOf(root, 'Buckets')) {
      for (const one of childrenOf(list, 'Bucket')) buckets.add(bucketOf(textOf(one, 'Name')))
    }
    const next = textOf(root, 'ContinuationToken')
    if (next === '') return [...buckets]
    token = following(token, next)
  }
}

const BUCKETS_OF_A_PAGE = 1000

function bucketOf(name: string): Bucket {
  try {
    return parseBucket(name)
  } catch (cause) {
    throw new MaintenanceError(`the upstream lists a bucket whose name is none: ${JSON.stringify(name)}`, { cause })
  }
}
