import { startOrigin, type Origin, type OriginOptions } from '../../src/origin/start-origin.js'
import { testCertificates } from './certificates.js'
import type { S3Server } from './server.js'

/** The one account of embedded origins in tests. */
export const ORIGIN_CREDENTIALS = {
  accessKeyId: 'AKIAORIGINTEST000000',
  secretAccessKey: 'origin-test-secret/not+a+real/secret0000',
} as const

/** The embedded origin on a free port of 127.0.0.1, with the test certificate; close it in a teardown. */
export async function startTestOrigin(options: Partial<OriginOptions> = {}): Promise<Origin> {
  const { leaf } = testCertificates()
  return startOrigin({
    certificate: leaf.cert,
    key: leaf.key,
    credentials: [ORIGIN_CREDENTIALS],
    buckets: ['bucket'],
    ...options,
  })
}

/** The same origin as tests know any real server. */
export function originServer(origin: Origin): S3Server {
  return {
    name: 'origin',
    port: origin.port,
    plainPort: origin.plainPort === 0 ? 'none' : origin.plainPort,
    endpoint: origin.endpoint,
    ca: testCertificates().authority.cert,
    region: 'us-east-1',
    credentials: ORIGIN_CREDENTIALS,
    baseDomain: 's3.localhost',
  }
}
