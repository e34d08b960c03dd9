import t from 'tap'
import { amazonS3 } from './clients/amazon-s3.js'
import { rcloneAws, s3fsContentMd5 } from './clients/all.js'
import { startEmbedded } from './embedded.js'
import { runClients } from './run-clients.js'

// The clients that fail under `opaque` because they take an ETag for an MD5: what they insist on is there.
t.test('clients that compare ETags with MD5s, under `etag: md5`', async (t) => {
  const { server, stop, writes } = await startEmbedded()
  t.teardown(stop)
  await runClients(t, {
    upstream: server,
    writes,
    etag: 'md5',
    upstreamLimits: {},
    clients: [
      { client: rcloneAws, settings: ['https, virtual-hosted'] },
      { client: s3fsContentMd5, settings: ['https, path'] },
      { client: amazonS3, settings: ['https, path', 'http on loopback, path'] },
    ],
  })
})
