import type { SeenRequest } from '../../src/origin/faults.js'
import type { Origin, OriginOptions } from '../../src/origin/start-origin.js'
import { testCertificates } from './certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from './origin.js'
import type { TestUpstream } from './proxy-in-process.js'

/** An embedded origin that remembers what reached it; close it in a teardown. */
export async function startRecordingOrigin(options: Partial<OriginOptions> = {}): Promise<{
  readonly origin: Origin
  /** In the order of arrival; empty it with `length = 0`. */
  readonly seen: SeenRequest[]
  readonly upstream: TestUpstream
}> {
  const seen: SeenRequest[] = []
  const intercept = (request: SeenRequest) => {
    seen.push(request)
    return { type: 'proceed' as const }
  }
  const origin = await startTestOrigin({ ...options, faults: { ...options.faults, intercept } })
  const ca = testCertificates().authority.cert
  return { origin, seen, upstream: { port: origin.port, ca, ...ORIGIN_CREDENTIALS, region: 'us-east-1' } }
}
