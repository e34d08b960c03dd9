import type { Pipeline } from './messages.js'

/** The region that clients are told: one that they may sign for. Nothing of the upstream's buckets shows in it. */
export function clientRegion({ clientRegions, upstream }: Pick<Pipeline, 'clientRegions' | 'upstream'>): string {
  const [first] = clientRegions
  if (first !== undefined) return first
  return upstream.region.type === 'fixed' ? upstream.region.region : upstream.region.first
}
