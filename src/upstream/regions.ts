import type { UpstreamConfig } from '../config/types.js'
import type { Fields } from '../s3/fields.js'
import { flatText } from '../s3/flat-text.js'
import type { RegionDirectory } from './types.js'

/** One label of a host name: a region may become part of the upstream's. */
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

export const isRegion = (text: string): boolean => REGION.test(text)

/**
 * What is known of the buckets' regions: one for all, or what answers taught. At most `maxBuckets` are remembered; the
 * one that was asked for longest ago goes first.
 */
export function regionDirectory({ region }: Pick<UpstreamConfig, 'region'>, maxBuckets = 10_000): RegionDirectory {
  if (region.type === 'fixed') return { regionOf: () => region.region, learn: () => undefined }
  const learned = new Map<string, string>()
  let latest = ''
  const put = (bucket: string, name: string): void => {
    latest = bucket
    learned.delete(bucket)
    learned.set(bucket, name)
    if (learned.size <= maxBuckets) return
    for (const oldest of learned.keys()) {
      learned.delete(oldest)
      return
    }
  }
  return {
    regionOf: (bucket) => {
      const known = learned.get(bucket)
      if (known === undefined) return 'unknown'
      if (bucket !== latest) put(bucket, known)
      return known
    },
    learn: (bucket, name) => {
      if (isRegion(name)) put(flatText(bucket), flatText(name))
    },
  }
}

/** Redirects to the bucket's region, the wrong region in the signature, and HeadBucket without permission. */
const TELLING: readonly number[] = [301, 307, 308, 400, 403]

/**
 * The region that a bucket is in, where S3's refusal tells: in `x-amz-bucket-region`, or else in the error document of
 * AuthorizationHeaderMalformed, whose element Region is the one to sign for. Nothing else is taken from a redirect; its
 * Location least of all, because the customer key would travel there.
 *
 * @param bodyText the error document, where the caller has read it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
export function regionFromAnswer(status: number, fields: Fields, bodyText = ''): string | 'unknown' {
  if (!TELLING.includes(status)) return 'unknown'
  const header = fields.get('x-amz-bucket-region')
  if (header !== undefined) return isRegion(header) ? header : 'unknown'
  if (status !== 400 || !bodyText.includes('<Code>AuthorizationHeaderMalformed</Code>')) return 'unknown'
  const region = /<Region>([^<]{1,63})<\/Region>/.exec(bodyText)?.[1] ?? ''
  return isRegion(region) ? region : 'unknown'
}
