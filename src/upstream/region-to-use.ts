import type { RegionDirectory } from './types.js'
import type { Target } from '../s3/target.js'
import type { UpstreamConfig } from '../config/types.js'

/** The region that a target is signed for: what is known of its bucket, else where `learned` starts. */
export function regionToUse(
  target: Target,
  { regions, upstream }: { readonly regions: RegionDirectory; readonly upstream: Pick<UpstreamConfig, 'region'> },
): string {
  const known = target.type === 'service' ? 'unknown' : regions.regionOf(target.bucket)
  if (known !== 'unknown') return known
  return upstream.region.type === 'fixed' ? upstream.region.region : upstream.region.first
}
