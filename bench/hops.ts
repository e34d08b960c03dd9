import type { HopName } from './hop-names.js'
import type { Arrivals, LoadJob } from './load-job.js'
import type { Running } from './child.js'
import { signedRequests } from './requests.js'

import type { Scenario } from './scenarios.js'
import type { Workshop } from './workshop.js'

export interface Hop {
  readonly name: HopName
  readonly port: number
  /** What clients speak with it; a rival that knows no TLS saves that side. */
  readonly scheme: 'https' | 'http'
  /** The process in between, if there is one. */
  readonly running: Running | 'none'
}

export const CLOSED: Arrivals = { type: 'closed' }

export type LoadLimits = Pick<LoadJob, 'forMs' | 'atTheEnd' | 'warmUp' | 'most' | 'arrivals'>

/** The requests of several scenarios are one after the other in the job; their connections run at once. */
export function jobFor(scenarios: readonly Scenario[], hop: Hop, workshop: Workshop, limits: LoadLimits): LoadJob {
  return {
    ...limits,
    name: `${hop.name}, ${scenarios.map(({ name }) => name).join(' and ')}`,
    port: hop.port,
    scheme: hop.scheme,
    caFile: workshop.caFile,
    connections: scenarios.reduce((sum, { connections }) => sum + connections, 0),
    requests: scenarios.flatMap((scenario) => signedRequests(scenario, { port: hop.port, hop: hop.name }, workshop)),
  }
}
