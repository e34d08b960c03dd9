import t from 'tap'
import { ALL_CLIENTS } from './clients/all.js'
import { startEmbedded } from './embedded.js'
import { runClients } from './run-clients.js'
import { SETTINGS } from './settings.js'

t.test('clients of the embedded origin', async (t) => {
  const { server, stop } = await startEmbedded()
  t.teardown(stop)
  await runClients(t, {
    upstream: server,
    // its ETags under SSE-C are random, as AWS's are
    etag: 'opaque',
    upstreamLimits: {},
    clients: ALL_CLIENTS().map((client) => ({ client, settings: SETTINGS })),
  })
})
