import t from 'tap'
import { OTHER_TOOLS } from './clients/all.js'
import { startEmbedded } from './embedded.js'
import { runClients } from './run-clients.js'
import { SETTINGS } from './settings.js'

t.test('s3fs and libs3, before the embedded origin', async (t) => {
  const { server, stop, writes } = await startEmbedded()
  t.teardown(stop)
  await runClients(t, {
    upstream: server,
    writes,
    // its ETags under SSE-C are random, as AWS's are
    etag: 'opaque',
    upstreamLimits: {},
    clients: OTHER_TOOLS.map((client) => ({ client, settings: SETTINGS })),
  })
})
