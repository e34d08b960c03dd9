import { isIP } from 'node:net'
import type { UpstreamConfig } from '../config/types.js'
import { encodePath } from '../s3/encode.js'
import { S3Error } from '../s3/error.js'
import { flatText } from '../s3/flat-text.js'
import type { Bucket } from '../s3/names.js'
import type { Target } from '../s3/target.js'
import { isRegion } from './regions.js'

/** Where a request goes. */
export interface Endpoint {
  /** To connect to, and the name that the certificate is verified for. An IPv6 address has no brackets. */
  readonly hostname: string
  readonly port: number
  /** The `host` header: without the default port, as clients sign it. */
  readonly hostHeader: string
  /** Whether the bucket is part of the host already (virtual-hosted style), and so not of the path. */
  readonly bucketInHost: boolean
}

/**
 * One label of a host name, as S3's rules for buckets allow. Names with dots would need a certificate for more than
 * one level under the endpoint, which S3's wildcard is not; upper case and `_` are not the same in DNS.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
const LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

/**
 * The address for one bucket in `region`; `{region}` in the endpoint's name is replaced. Virtual-hosted style falls
 * back to path style where a bucket cannot be one label of the host, where the endpoint is an IP address, and for
 * requests of the service.
 *
 * @throws S3Error InternalError where the region cannot be part of a host
 */
export function endpointFor(
  upstream: Pick<UpstreamConfig, 'endpoint' | 'addressing'>,
  region: string,
  bucket: Bucket | 'service',
): Endpoint {
  const place = placeIn(upstream, region)
  if (upstream.addressing !== 'virtual-hosted' || bucket === 'service') return place.pathStyle
  const known = place.hosts.get(bucket)
  if (known !== undefined) return known
  const found = place.isAddress || !LABEL.test(bucket) ? place.pathStyle : inHost(bucket, place.pathStyle)
  // Strangers may name any bucket.
  if (place.hosts.size >= MAX_HOSTS) place.hosts.clear()
  place.hosts.set(flatText(bucket), found)
  return found
}

/** What is known of an upstream in one region. */
interface Place {
  readonly pathStyle: Endpoint
  /** Whether it is an IP address, which buckets cannot stand before. */
  readonly isAddress: boolean
  /** By bucket. */
  readonly hosts: Map<string, Endpoint>
}

const MAX_HOSTS = 10_000
const MAX_REGIONS = 100

const places = new WeakMap<object, Map<string, Place>>()

function placeIn(upstream: Pick<UpstreamConfig, 'endpoint'>, region: string): Place {
  let regions = places.get(upstream)
  if (regions === undefined) {
    regions = new Map()
    places.set(upstream, regions)
  }
  const known = regions.get(region)
  if (known !== undefined) return known
  // Regions come from the upstream's answers, and this one would decide where the key goes.
  if (!isRegion(region)) throw new S3Error('InternalError', { cause: 'a region that cannot be part of a host name' })
  const { port } = upstream.endpoint
  const hostname = upstream.endpoint.hostname.replaceAll('{region}', region).replace(/^\[(.*)\]$/, '$1')
  const pathStyle = endpoint(hostname, port, false)
  const place = { pathStyle, isAddress: isIP(hostname) !== 0, hosts: new Map() }
  if (regions.size >= MAX_REGIONS) regions.clear()
  regions.set(region, place)
  return place
}

const inHost = (bucket: string, { hostname, port }: Endpoint): Endpoint => endpoint(`${bucket}.${hostname}`, port, true)

function endpoint(hostname: string, port: number, bucketInHost: boolean): Endpoint {
  const written = isIP(hostname) === 6 ? `[${hostname}]` : hostname
  return Object.freeze({ hostname, port, hostHeader: port === 443 ? written : `${written}:${port}`, bucketInHost })
}

/** The path for the upstream: bucket and object key, decoded once by the parser, encoded once here. */
export function upstreamPath(target: Target, bucketInHost: boolean): string {
  switch (target.type) {
    case 'service':
      return '/'
    case 'bucket':
      return bucketInHost ? '/' : `/${encodePath(target.bucket)}`
    case 'object':
      return bucketInHost
        ? `/${encodePath(target.objectKey)}`
        : `/${encodePath(target.bucket)}/${encodePath(target.objectKey)}`
  }
}
