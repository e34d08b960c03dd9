import type { Cancellation } from '../upstream/types.js'
import type { ClassifiedRequest, KeyPlan, Pipeline } from './messages.js'
import { MD5_CHECKSUM, bareETag, md5ETag, type ObjectETag } from '../s3/md5-etag.js'
import { type Forwarded, forward } from './forward.js'
import { flatText } from '../s3/flat-text.js'
import { probeOf, versionQuery } from './probe.js'
import type { CopySource } from '../s3/copy-source.js'
import type { Fields } from '../s3/fields.js'
import type { RequestRecord } from './record.js'
import { S3Error } from '../s3/error.js'
import { bucketETagPolicy } from '../keyring/select.js'
import type { Bucket, ObjectKey } from '../s3/names.js'

/** An object whose ETag is asked for: the latest version, or the one named. */
export interface ObjectPlace {
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  readonly versionId: string | 'latest'
}

export const showsMD5 = ({ rules }: Pick<Pipeline, 'rules'>, bucket: Bucket): boolean =>
  bucketETagPolicy(rules, bucket) === 'md5'

/**
 * Asks the upstream with HEAD for an object's ETag and MD5. `unknown` where it refuses to tell: whoever asks further hears why. An
 * upstream that is busy or broken refuses nothing: what follows might succeed, and a condition that was not understood would
 * have held (x-amz-copy-source-if-none-match) or failed for ever (If-Match).
 *
 * @param plan its keys
 * @throws UpstreamFailure; S3Error ServiceUnavailable
 */
export async function lookUpETag(
  request: ClassifiedRequest,
  place: ObjectPlace,
  plan: KeyPlan,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<ObjectETag | 'unknown'> {
  const { bucket, objectKey, versionId } = place
  const target = { type: 'object', bucket, objectKey } as const
  const query = versionQuery(versionId === 'latest' ? undefined : versionId)
  const probe = probeOf(request, { method: 'HEAD', target, query })
  const upstreamHeaders = new Map(probe.upstreamHeaders).set('x-amz-checksum-mode', 'ENABLED')
  const { attempt, response } = await forward({ ...probe, upstreamHeaders, targetKey: plan }, pipeline, signal, record)
  response.body.resume()
  if (response.status >= 500 || response.status === 429) {
    throw new S3Error('ServiceUnavailable', {
      message: "The upstream could not be asked for the object's ETag. Try again.",
      cause: `HEAD was answered with status ${response.status}`,
    })
  }
  const etag = response.status === 200 ? etagIn(response.fields) : 'none'
  if (etag === 'none') return 'unknown'
  rememberETag(place, etag, attempt, pipeline)
  return etag
}

/** The same for the source of a copy, whose bucket may be another's. */
export function lookUpSource(
  request: ClassifiedRequest,
  { bucket, objectKey, version }: CopySource,
  plan: KeyPlan,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<ObjectETag | 'unknown'> {
  const fields = new Map(request.fields)
  fields.delete('x-amz-expected-bucket-owner')
  const owner = fields.get('x-amz-source-expected-bucket-owner')
  if (owner !== undefined) fields.set('x-amz-expected-bucket-owner', owner)
  const versionId = version.type === 'id' ? version.versionId : 'latest'
  return lookUpETag({ ...request, fields }, { bucket, objectKey, versionId }, plan, pipeline, signal, record)
}

/** What the answer to a read of a whole object, or to a write, says. */
export function etagIn(fields: Fields): ObjectETag | 'none' {
  const raw = bareETag(fields.get('etag') ?? '')
  return raw === '' ? 'none' : { raw, md5: md5ETag(fields.get(MD5_CHECKSUM)) }
}

/**
 * Remembers an object's ETag for answers that do not say its MD5. Without a customer key the same bytes have the same ETag, with
 * a stored MD5 and without: that there is none is then not worth remembering.
 */
export function rememberETag(
  place: ObjectPlace,
  etag: ObjectETag,
  attempt: Pick<Forwarded['attempt'], 'target'>,
  { etags }: Pick<Pipeline, 'etags'>,
): void {
  if (etag.md5 === 'none' && attempt.target === 'plain') etags.objects.delete(nameOf(place))
  else etags.objects.set(nameOf(place), { raw: flatText(etag.raw), md5: flatText(etag.md5) })
}

export const rememberedETag = (place: ObjectPlace, { etags }: Pick<Pipeline, 'etags'>): ObjectETag | 'unknown' =>
  etags.objects.get(nameOf(place)) ?? 'unknown'

/** Neither a bucket's name nor a version id has a space. */
const nameOf = ({ bucket, objectKey, versionId }: ObjectPlace) => `${bucket} ${versionId} ${objectKey}`
