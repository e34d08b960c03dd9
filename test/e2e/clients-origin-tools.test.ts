import t from 'tap'
import { FILE_TOOLS } from './clients/all.js'
import { startEmbedded } from './embedded.js'
import { runClients } from './run-clients.js'
import { SETTINGS } from './settings.js'

t.test('programs for files and buckets, before the embedded origin', async (t) => {
  const { server, stop, writes } = await startEmbedded()
  t.teardown(stop)
  await runClients(t, {
    upstream: server,
    writes,
    // its ETags under SSE-C are random, as AWS's are
    etag: 'opaque',
    upstreamLimits: {},
    clients: FILE_TOOLS.map((client) => ({ client, settings: SETTINGS })),
  })
})
