import type { LoadJob } from './load-job.js'
import { signedRequests } from './requests.js'
import type { Running } from './child.js'
import type { Scenario } from './scenarios.js'
import type { Workshop } from './workshop.js'

/** What a request goes through on its way to S3. */
export type HopName = 'direct' | 'nginx' | ProxyName

/** The proxy, and the proxy with its lean pass. */
export type ProxyName = 'ssec-proxy' | 'lean pass'

export interface Hop {
  readonly name: HopName
  readonly port: number
  /** The process in between, if there is one. */
  readonly running: Running | 'none'
}

export function jobFor(
  scenario: Scenario,
  hop: Hop,
  workshop: Workshop,
  limits: Pick<LoadJob, 'forMs' | 'atTheEnd' | 'warmUp' | 'most'>,
): LoadJob {
  return {
    ...limits,
    port: hop.port,
    caFile: workshop.caFile,
    connections: scenario.connections,
    requests: signedRequests(scenario, { port: hop.port, hop: hop.name }, workshop),
  }
}
