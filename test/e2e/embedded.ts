import type { SeenRequest } from '../../src/origin/faults.js'
import { testCertificates } from '../support/certificates.js'
import { ORIGIN_CREDENTIALS, startTestOrigin } from '../support/origin.js'
import type { S3Server } from '../support/server.js'

const BASE_DOMAIN = 's3.localhost'

export interface Embedded {
  readonly type: 'running'
  readonly server: S3Server
  readonly stop: () => Promise<void>
  /** What was asked to be written since the last call, by whomever: sorted lines such as `PUT some/key?partNumber=2`. */
  readonly writes: () => readonly string[]
}

/** The embedded origin, started as the other servers are. It lives in this process: what uses it must not block. */
export async function startEmbedded(): Promise<Embedded> {
  const origin = await startTestOrigin({ buckets: [] })
  const seen: string[] = []
  origin.faults.intercept = (request) => {
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) seen.push(lineOf(request))
    return { type: 'proceed' }
  }
  return {
    type: 'running',
    stop: () => origin.close(),
    writes: () => seen.splice(0).sort(),
    server: {
      name: 'origin',
      port: origin.port,
      plainPort: 'none',
      endpoint: origin.endpoint,
      ca: testCertificates().authority.cert,
      region: 'us-east-1',
      credentials: ORIGIN_CREDENTIALS,
      baseDomain: BASE_DOMAIN,
    },
  }
}

/** Without the bucket and without what differs from one run to the next, so that two runs can be compared. */
function lineOf({ method, target, rawHeaders }: SeenRequest): string {
  const [path = '', query = ''] = target.split('?')
  const host = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'host') + 1] ?? ''
  const bucketInHost = host.replace(/:\d+$/, '').endsWith(`.${BASE_DOMAIN}`)
  const objectKey = path
    .split('/')
    .slice(bucketInHost ? 1 : 2)
    .join('/')
  const parameters = query
    .split('&')
    .map((parameter) => (parameter.startsWith('partNumber=') ? parameter : parameter.replace(/=.*$/s, '')))
    .filter((parameter) => /^(uploads|uploadId|partNumber=\d+|delete|acl|tagging)$/.test(parameter))
  return `${method} ${decodeURIComponent(objectKey.replaceAll('+', ' '))}${parameters.length === 0 ? '' : `?${parameters.sort().join('&')}`}`
}
