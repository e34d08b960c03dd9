import type { RuleConfig, UpstreamConfig } from '../config/types.js'
import { selectKeys } from '../keyring/select.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import type { RandomBytes } from '../maintenance/throw-away.js'
import { type Bucket, parseBucket, parseObjectKey } from '../s3/names.js'
import { endpointFor } from '../upstream/address.js'
import type { CredentialSource } from '../upstream/types.js'
import { checkBucket, checkEncryption, checkPolicy } from './check-bucket.js'
import { checkClock, checkConnection, checkPlainHttp, type ConnectionWorld } from './check-connection.js'
import { checkMD5 } from './check-md5.js'
import { checkCredentials } from './check-credentials.js'
import { about, hasFailed, type Finding } from './finding.js'
import { roundTrip } from './round-trip.js'

export interface Patient {
  readonly upstream: UpstreamConfig
  readonly rules: readonly RuleConfig[]
  /** With the credentials that most requests have. */
  readonly access: UpstreamAccess
  readonly credentials: CredentialSource
  /** Those of identities with credentials of their own. */
  readonly others: readonly {
    readonly whose: string
    readonly access: Pick<UpstreamAccess, 'send'>
    readonly credentials: CredentialSource
  }[]
  /** To look at, beside those that rules name. */
  readonly buckets: readonly Bucket[]
}

export interface ExamineWorld extends ConnectionWorld {
  readonly randomBytes: RandomBytes
}

/** Everything that needs the upstream, one finding after the other. What rests on something that failed is left out. */
export async function* examine(patient: Patient, world: ExamineWorld): AsyncGenerator<Finding> {
  const { upstream, access, credentials, others } = patient
  const region = upstream.region.type === 'fixed' ? upstream.region.region : upstream.region.first
  const { hostname, port } = endpointFor(upstream, region, 'service')
  yield checkPlainHttp({ hostname, port })
  const connection = await checkConnection(hostname, port, world)
  yield* connection
  if (hasFailed(connection)) return
  const own = await checkCredentials(access, credentials, 'upstream')
  if (own.date !== undefined) yield checkClock(own.date, world.now())
  yield* own.findings
  for (const other of others) yield* (await checkCredentials(other.access, other.credentials, other.whose)).findings
  if (hasFailed(own.findings)) return
  yield* examineBuckets(patient, world)
}

/** The buckets that rules name, and those that were asked for: what the proxy needs to be true before it serves them. */
export async function* examineBuckets(
  patient: Pick<Patient, 'upstream' | 'rules' | 'access' | 'buckets'>,
  world: Pick<ExamineWorld, 'randomBytes' | 'lookUp' | 'tls' | 'now'>,
): AsyncGenerator<Finding> {
  const buckets = bucketsOf(patient)
  if (buckets.length === 0)
    yield about('bucket', '*')('skipped', 'no rule names a bucket', 'name one to look at with --bucket')
  for (const bucket of buckets) {
    try {
      yield* examineBucket(patient, bucket, world)
    } catch (error) {
      if (!(error instanceof MaintenanceError)) throw error
      yield about('bucket', bucket)('failed', error.message)
    }
  }
}

async function* examineBucket(
  { upstream, rules, access }: Pick<Patient, 'upstream' | 'rules' | 'access'>,
  bucket: Bucket,
  world: Pick<ExamineWorld, 'randomBytes' | 'lookUp' | 'tls' | 'now'>,
): AsyncGenerator<Finding> {
  const region = upstream.region.type === 'fixed' ? upstream.region.region : upstream.region.first
  const { hostname, port, bucketInHost } = endpointFor(upstream, region, bucket)
  if (bucketInHost) {
    const connection = await checkConnection(hostname, port, world)
    yield* connection
    if (hasFailed(connection)) return
  }
  const prefixes = prefixesOf(rules, bucket)
  if (prefixes.length === 0)
    yield about('bucket', bucket)('failed', 'no rule covers it: every request for its objects is refused', 'add a rule')
  const { findings, isThere } = await checkBucket(access, bucket, upstream.region)
  yield* findings
  if (!isThere) return
  yield await checkEncryption(access, bucket)
  yield* await checkPolicy(access, bucket)
  for (const prefix of prefixes) {
    const reference = selectKeys(access.rules, bucket, parseObjectKey(`${prefix}.`))
    if (reference === 'no-rule' || reference.type === 'plain') continue
    yield* await roundTrip({ access, bucket, prefix, reference, randomBytes: world.randomBytes })
  }
  yield* await checkMD5(access, bucket, rules, world.randomBytes)
}

function bucketsOf({ rules, buckets }: Pick<Patient, 'rules' | 'buckets'>): readonly Bucket[] {
  if (buckets.length > 0) return buckets
  const named = rules.flatMap(({ bucket, keys }) => (bucket === '*' || keys.type === 'plain' ? [] : [bucket]))
  return [...new Set(named)].map(parseBucket)
}

/** Of the rules that are about the bucket: each has an object of its own under it. A prefix too long for one is left out. */
function prefixesOf(rules: readonly RuleConfig[], bucket: Bucket): readonly string[] {
  const prefixes = rules.flatMap((rule) => (rule.bucket === bucket || rule.bucket === '*' ? [rule.prefix] : []))
  return [...new Set(prefixes)].filter((prefix) => Buffer.byteLength(prefix) <= 900)
}
