import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import type { Started } from '../support/server.js'

/** The embedded origin, started as the other servers are. It lives in this process: what uses it must not block. */
export async function startEmbedded(): Promise<Extract<Started, { type: 'running' }>> {
  const origin = await startTestOrigin({ buckets: [] })
  return {
    type: 'running',
    stop: () => origin.close(),
    server: {
      name: 'origin',
      port: origin.port,
      plainPort: 'none',
      endpoint: origin.endpoint,
      ca: testCertificates().authority.cert,
      region: 'us-east-1',
      credentials: ORIGIN_CREDENTIALS,
      baseDomain: 's3.localhost',
    },
  }
}
