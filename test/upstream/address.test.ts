import fc from 'fast-check'
import t from 'tap'
import type { UpstreamConfig } from '../../src/config/types.js'
import { parseBucket, type Bucket } from '../../src/s3/names.js'
import { endpointFor } from '../../src/upstream/address.js'

const aws = (addressing: UpstreamConfig['addressing'], port = 443): Parameters<typeof endpointFor>[0] => ({
  endpoint: { hostname: 's3.{region}.amazonaws.com', port },
  addressing,
})
const at = (hostname: string, port: number): Parameters<typeof endpointFor>[0] => ({
  endpoint: { hostname, port },
  addressing: 'virtual-hosted',
})
const photos = parseBucket('photos')

t.test('path style: one host for all, the default port is not in the header', async (t) => {
  const expected = {
    hostname: 's3.eu-central-1.amazonaws.com',
    port: 443,
    hostHeader: 's3.eu-central-1.amazonaws.com',
    bucketInHost: false,
  }
  t.same(endpointFor(aws('path'), 'eu-central-1', photos), expected)
  t.same(endpointFor(aws('path'), 'eu-central-1', 'service'), expected)
  const other = endpointFor(aws('path', 9000), 'us-east-1', photos)
  t.match(other, { port: 9000, hostHeader: 's3.us-east-1.amazonaws.com:9000' })
})

t.test('virtual-hosted style: the bucket is the first label, but not of the service', async (t) => {
  t.same(endpointFor(aws('virtual-hosted', 8443), 'eu-west-3', photos), {
    hostname: 'photos.s3.eu-west-3.amazonaws.com',
    port: 8443,
    hostHeader: 'photos.s3.eu-west-3.amazonaws.com:8443',
    bucketInHost: true,
  })
  t.match(endpointFor(aws('virtual-hosted'), 'eu-west-3', 'service'), {
    hostname: 's3.eu-west-3.amazonaws.com',
    bucketInHost: false,
  })
})

t.test('buckets that are no label of a verified host, and addresses, stay in the path', async (t) => {
  for (const name of ['my.bucket', 'My-Bucket', 'under_score', 'a'.repeat(64), '1.2']) {
    const endpoint = endpointFor(aws('virtual-hosted'), 'eu-west-3', parseBucket(name))
    t.match(endpoint, { hostname: 's3.eu-west-3.amazonaws.com', bucketInHost: false }, name)
  }
  t.match(endpointFor(at('10.0.0.1', 443), 'x', photos), { hostname: '10.0.0.1', hostHeader: '10.0.0.1' })
  for (const hostname of ['::1', '[::1]']) {
    const endpoint = endpointFor(at(hostname, 9000), 'x', photos)
    t.same(endpoint, { hostname: '::1', port: 9000, hostHeader: '[::1]:9000', bucketInHost: false })
  }
})

t.test('a name that never went through the parser cannot leave the configured domain', async (t) => {
  const hostile = ['evil.example/', 'evil.example#', 'a@b', 'a:1', '..', '', '-a-', 'evil.example?', 'a\r\nb', 'é']
  for (const name of hostile) {
    const { hostname, bucketInHost } = endpointFor(aws('virtual-hosted'), 'r', name as Bucket)
    t.same({ hostname, bucketInHost }, { hostname: 's3.r.amazonaws.com', bucketInHost: false }, JSON.stringify(name))
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.domain()), (name) => {
      const { hostname } = endpointFor(aws('virtual-hosted'), 'r', name as Bucket)
      const extra = hostname.slice(0, -'s3.r.amazonaws.com'.length)
      return hostname.endsWith('s3.r.amazonaws.com') && /^(?:[a-z0-9-]+\.)?$/.test(extra)
    }),
  )
})

t.test('a region that is no label is refused', async (t) => {
  for (const region of ['', 'evil.example/', 'a.b', 'a@b', 'EU', '-a', 'a'.repeat(64), 'a b', '{region}']) {
    t.throws(() => endpointFor(aws('path'), region, photos), { code: 'InternalError' }, region)
  }
})

t.test(
  'an endpoint is made once for each upstream, region and bucket, and is what it would be if made anew',
  async (t) => {
    const upstream = aws('virtual-hosted')
    const other = at('store.example', 443)
    const region = fc.constantFrom('eu-west-3', 'us-east-1')
    const bucket = fc.constantFrom('photos', 'my.bucket', 'service', 'b-1')
    const property = fc.property(fc.constantFrom(upstream, other), region, bucket, (where, region, name) => {
      const kept = endpointFor(where, region, name as Bucket)
      t.equal(endpointFor(where, region, name as Bucket), kept)
      t.strictSame(endpointFor({ ...where }, region, name as Bucket), kept)
    })
    fc.assert(property)
    for (let i = 0; i < 20_001; i += 1) endpointFor(upstream, 'eu-west-3', `bucket-${i}` as Bucket)
    t.match(endpointFor(upstream, 'eu-west-3', photos), { hostname: 'photos.s3.eu-west-3.amazonaws.com' })
  },
)
