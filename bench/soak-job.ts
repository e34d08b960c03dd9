import { readFileSync } from 'node:fs'
import { KIB, MIB } from './content.js'
import type { HopName } from './hop-names.js'
import type { LoadRequest } from './load-job.js'
import { signedRequests } from './requests.js'
import { transfers } from './scenarios.js'
import { ABORTS, type Abort, type SoakJob } from './soak.js'
import { BEHAVIOURS } from './stand-in-server.js'
import type { Workshop } from './workshop.js'

const METHOD: Readonly<Record<Abort, 'GET' | 'PUT'>> = {
  'in-head': 'GET',
  'in-body': 'PUT',
  'in-answer': 'GET',
  unanswered: 'GET',
  'half-answered': 'GET',
  'half-read': 'PUT',
}

/** Small GETs and PUTs, and one request for each way to abort one. */
export function soakJob(
  to: { readonly port: number; readonly hop: HopName },
  workshop: Workshop,
  how: Pick<SoakJob, 'connections' | 'requests'>,
): SoakJob {
  const some = (method: 'GET' | 'PUT', bytes: number, objects: number, prefix = '') =>
    signedRequests({ ...transfers(method, objects, bytes, 0), prefix }, to, workshop)
  const abort = (name: Abort): readonly [Abort, LoadRequest] => {
    const prefix = BEHAVIOURS.find((start) => start === `${name}-`) ?? ''
    const bytes = name === 'in-answer' || name === 'half-answered' ? 8 * MIB : 64 * KIB
    return [name, some(METHOD[name], bytes, 1, prefix)[0]!]
  }
  const [gets, puts] = [some('GET', KIB, 100), some('PUT', 4 * KIB, 100)]
  return {
    ...how,
    port: to.port,
    ca: readFileSync(workshop.caFile, 'utf8'),
    whole: gets.flatMap((get, i) => [get, puts[i]!]),
    aborted: Object.fromEntries(ABORTS.map(abort)) as Record<Abort, LoadRequest>,
  }
}
