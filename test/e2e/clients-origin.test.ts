import t from 'tap'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import { ALL_CLIENTS } from './clients/all.js'
import { runClients } from './run-clients.js'
import { SETTINGS } from './settings.js'

t.test('clients of the embedded origin', async (t) => {
  const origin = await startTestOrigin({ buckets: [] })
  t.teardown(() => origin.close())

  await runClients(t, {
    upstream: {
      name: 'origin',
      port: origin.port,
      plainPort: 'none',
      endpoint: origin.endpoint,
      ca: testCertificates().authority.cert,
      region: 'us-east-1',
      credentials: ORIGIN_CREDENTIALS,
      baseDomain: 's3.localhost',
    },
    // its ETags under SSE-C are random, as AWS's are
    etag: 'opaque',
    upstreamLimits: {},
    clients: ALL_CLIENTS().map((client) => ({
      client,
      settings: SETTINGS,
    })),
  })
})
