import t from 'tap'
import { startMinio } from '../support/minio.js'
import { debianBoto3, newBoto3, rcloneOther, s3fsV4 } from './clients/all.js'
import { awsSdk } from './clients/aws-sdk.js'
import { runClients } from './run-clients.js'

const NAMES = 'MinIO takes object keys for file names'

// MinIO can copy objects with customer keys, which radosgw 16 cannot: clients that copy without being told to.
t.test('clients of MinIO', async (t) => {
  const started = await startMinio()
  if (started.type === 'unavailable') return t.pass('MinIO', { skip: started.reason })
  t.teardown(started.stop)
  await runClients(t, {
    upstream: started.server,
    etag: 'opaque',
    upstreamLimits: { 'key: a//b': NAMES, 'key: ../x': NAMES },
    clients: [debianBoto3, newBoto3(), rcloneOther, s3fsV4, awsSdk].map((client) => ({
      client,
      settings: ['https, path'],
    })),
  })
})
