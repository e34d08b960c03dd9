import type { RequestEvent, RequestObserver } from '../proxy/event.js'
import { type MetricRegistry, amount, bounded, seconds } from './metric-registry.js'

/** Series that operations may make: more than S3 has operations, so that a mistake elsewhere cannot make thousands. */
const MOST_OPERATIONS = 200
/** Error codes of the proxy's own; S3's list is a little longer. */
const MOST_CODES = 100
/** More than a configuration may name. */
const MOST_CLASSES = 40

const TOTAL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200]
const FIRST_BYTE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Proving a signature takes tens of microseconds, a key in memory is there at once; a form's fields and KMS take a network's time. */
const STAGE_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** What is counted of each request when it is over. */
export function requestMetrics(registry: MetricRegistry): RequestObserver {
  const byOperation = ['operation'] as const
  const counter = (name: string, help: string) => {
    const series = registry.countedSeries({ name, help, labels: byOperation })
    return once((operation) => series({ operation }))
  }
  const times = (name: string, help: string, buckets: readonly number[]) => {
    const series = registry.observedSeries({ name, help, labels: byOperation, buckets })
    return once((operation) => series({ operation }))
  }
  const distribution = (name: string, help: string, buckets: readonly number[]) =>
    registry.observedSeries({ name, help, buckets })({})

  const requestSeries = registry.countedSeries({
    name: 'requests_total',
    help: 'Requests that are over',
    labels: ['operation', 'status', 'outcome', 'identity_class'],
  })
  const requests = once((operation) =>
    once((identity_class) =>
      once((status) => once((outcome) => requestSeries({ operation, status, outcome, identity_class }))),
    ),
  )
  const signatureSeries = registry.countedSeries({
    name: 'signatures_total',
    help: 'Requests whose caller was proven, by version and place of the signature',
    labels: ['signature', 'identity_class'],
  })
  const signatures = once((identity_class) => once((signature) => signatureSeries({ signature, identity_class })))
  const refusalSeries = registry.countedSeries({
    name: 'refusals_total',
    help: 'Requests that the proxy refused, by the stage that did and the error code',
    labels: ['stage', 'code'],
  })
  const refusals = once((stage) => once((code) => refusalSeries({ stage, code })))
  const duration = times('request_duration_seconds', 'From head to end', TOTAL_BUCKETS)
  const firstByte = times('first_byte_seconds', "From the client's head to the upstream's head", FIRST_BYTE_BUCKETS)
  const authentication = distribution('authentication_seconds', 'From head to proven identity', STAGE_BUCKETS)
  const key = distribution('key_seconds', 'Spent on waiting for customer keys', STAGE_BUCKETS)
  const upstreamFirstByte = times(
    'upstream_first_byte_seconds',
    "From the last attempt's start to the upstream's head; an upload's body is in it",
    FIRST_BYTE_BUCKETS,
  )
  const received = counter('received_bytes_total', 'Body bytes from clients')
  const sent = counter('sent_bytes_total', 'Body bytes to clients')
  const upstream = counter('upstream_requests_total', 'Requests sent to the upstream')
  const attempts = distribution('attempts', 'Requests sent to the upstream for one of a client', [1, 2, 3, 4, 6, 8])
  const candidates = counter('candidates_retried_total', 'Requests sent again with another key')
  const plain = counter('plain_reads_total', 'Reads of objects that no customer key encrypts')
  const failureSeries = registry.countedSeries({
    name: 'upstream_failures_total',
    help: 'Requests to which the upstream gave no answer, or not all of it, by why',
    labels: ['reason'],
  })
  const failures = once((reason) => failureSeries({ reason }))
  // There from the start, so that an alert on its increase sees the first one.
  const unproven = registry.countedSeries({
    name: 'encryption_unproven_total',
    help: 'Answers of the upstream without proof of encryption',
  })({})

  const operationLabel = bounded(MOST_OPERATIONS)
  const codeLabel = bounded(MOST_CODES)
  const classLabel = bounded(MOST_CLASSES)
  return (event) => {
    const operation = operationLabel(event.operation)
    const identityClass = classLabel(event.identityClass)
    const { outcome } = event
    requests(operation)(identityClass)(statusLabel(event.status))(outcome).add(1)
    if (event.signature !== 'none') signatures(identityClass)(event.signature).add(1)
    if (outcome === 'refused') refusals(event.stage)(codeLabel(event.errorCode)).add(1)
    if (outcome === 'upstream-failed') failures(event.failure === 'none' ? 'other' : event.failure).add(1)
    duration(operation).observe(seconds(event.totalMs))
    if (event.identity !== 'none') authentication.observe(seconds(event.authMs))
    if (event.keyring !== 'none') key.observe(seconds(event.keyWaitMs))
    if (event.upstreamStatus !== 'none') {
      firstByte(operation).observe(seconds(event.firstByteMs))
      upstreamFirstByte(operation).observe(seconds(event.upstreamMs))
    }
    received(operation).add(amount(event.bytesIn))
    sent(operation).add(amount(event.bytesOut))
    if (event.attempts > 0) {
      upstream(operation).add(amount(event.attempts))
      attempts.observe(amount(event.attempts))
      candidates(operation).add(amount(event.keysRetried))
    }
    if (isPlainRead(event)) plain(operation).add(1)
    if (outcome === 'encryption-unproven') unproven.add(1)
  }
}

/** The series of a label's value, made when it is first asked for: what is counted with every request is found by it. */
function once<T>(make: (value: string) => T): (value: string) => T {
  const made = new Map<string, T>()
  return (value) => {
    const before = made.get(value)
    if (before !== undefined) return before
    const now = make(value)
    made.set(value, now)
    return now
  }
}

const isPlainRead = ({ keyVersion, method, status }: RequestEvent): boolean =>
  keyVersion === 'plain' && (method === 'GET' || method === 'HEAD') && status >= 200 && status < 300

const statusLabel = (status: number): string => (status >= 100 && status <= 599 ? String(Math.trunc(status)) : 'other')
