import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { probeMD5 } from '../../src/maintenance/md5-probe.js'
import { testAccess } from '../support/access.js'
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { startMinio } from '../support/minio.js'
import { startRgw } from '../support/rgw.js'
import { sdkClient } from '../support/sdk-client.js'
import type { S3Server, Started } from '../support/server.js'

t.setTimeout(600_000)

/** What the start says where `etag: md5` does not hold; nothing is left in the bucket. */
async function refused(t: Test, start: () => Promise<Started>, words: RegExp): Promise<void> {
  const started = await start()
  if (started.type === 'unavailable') {
    t.comment(`not run: ${started.reason}`)
    return
  }
  t.teardown(started.stop)
  const { server } = started
  const sdk = sdkClient(server)
  t.teardown(() => sdk.destroy())
  const bucket = `probe-${Date.now().toString(36)}`
  await sdk.send(new CreateBucketCommand({ Bucket: bucket }))
  const access = testAccess(t, { upstream: upstreamOf(server), rules: [], keyrings: [] })
  const probe = probeMD5({ access, bucket, randomBytes: (size) => randomBytes(size) })
  const outcome = await probe.then(
    () => 'it holds',
    (error: unknown) => String(error),
  )
  t.match(outcome, words)
  t.equal((await sdk.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount, 0)
}

// An address: RGW takes a name for a bucket.
const upstreamOf = ({ port, ca, region, credentials }: S3Server) => ({
  host: '127.0.0.1',
  port,
  ca,
  region,
  ...credentials,
})

t.test('Ceph 16 keeps no MD5s', (t) =>
  refused(t, startRgw, /PutObject with x-amz-checksum-md5 is answered without x-amz-checksum-md5/),
)

t.test('MinIO keeps no MD5s', (t) =>
  refused(t, startMinio, /PutObject with x-amz-checksum-md5 is answered without x-amz-checksum-md5/),
)
