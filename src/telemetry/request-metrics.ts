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
/** Proving a signature and deriving a key take tens of microseconds; a form's fields and KMS take a network's time. */
const STAGE_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** What is counted of each request when it is over. */
export function requestMetrics(registry: MetricRegistry): RequestObserver {
  const operations = ['operation'] as const
  const counter = (name: string, help: string) => registry.counter({ name, help, labels: operations })
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: readonly L[] = [],
  ) => registry.histogram<L>({ name, help, labels, buckets })

  const requests = registry.counter({
    name: 'requests_total',
    help: 'Requests that are over',
    labels: ['operation', 'status', 'outcome', 'identity_class'],
  })
  const signatures = registry.counter({
    name: 'signatures_total',
    help: 'Requests whose caller was proven, by version and place of the signature',
    labels: ['signature', 'identity_class'],
  })
  const refusals = registry.counter({
    name: 'refusals_total',
    help: 'Requests that the proxy refused, by the stage that did and the error code',
    labels: ['stage', 'code'],
  })
  const duration = histogram('request_duration_seconds', 'From head to end', TOTAL_BUCKETS, operations)
  const firstByte = histogram(
    'first_byte_seconds',
    "From the client's head to the upstream's head",
    FIRST_BYTE_BUCKETS,
    operations,
  )
  const authentication = histogram('authentication_seconds', 'From head to proven identity', STAGE_BUCKETS)
  const key = histogram('key_seconds', 'Spent on getting customer keys', STAGE_BUCKETS)
  const upstreamFirstByte = histogram(
    'upstream_first_byte_seconds',
    "From the last attempt's start to the upstream's head; an upload's body is in it",
    FIRST_BYTE_BUCKETS,
    operations,
  )
  const received = counter('received_bytes_total', 'Body bytes from clients')
  const sent = counter('sent_bytes_total', 'Body bytes to clients')
  const upstream = counter('upstream_requests_total', 'Requests sent to the upstream')
  const attempts = histogram('attempts', 'Requests sent to the upstream for one of a client', [1, 2, 3, 4, 6, 8])
  const candidates = counter('candidates_retried_total', 'Requests sent again with another key')
  const plain = counter('plain_reads_total', 'Reads of objects that no customer key encrypts')
  const failures = registry.counter({
    name: 'upstream_failures_total',
    help: 'Requests to which the upstream gave no answer, or not all of it, by why',
    labels: ['reason'],
  })
  const unproven = registry.counter({
    name: 'encryption_unproven_total',
    help: 'Answers of the upstream without proof of encryption',
  })
  // There from the start, so that an alert on its increase sees the first one.
  unproven({}, 0)

  const operationLabel = bounded(MOST_OPERATIONS)
  const codeLabel = bounded(MOST_CODES)
  const classLabel = bounded(MOST_CLASSES)
  return (event) => {
    const operation = operationLabel(event.operation)
    const { outcome } = event
    const identity_class = classLabel(event.identityClass)
    requests({ operation, status: statusLabel(event.status), outcome, identity_class })
    if (event.signature !== 'none') signatures({ signature: event.signature, identity_class })
    if (outcome === 'refused') refusals({ stage: event.stage, code: codeLabel(event.errorCode) })
    if (outcome === 'upstream-failed') failures({ reason: event.failure === 'none' ? 'other' : event.failure })
    duration({ operation }, seconds(event.totalMs))
    if (event.identity !== 'none') authentication({}, seconds(event.authMs))
    if (event.keyring !== 'none') key({}, seconds(event.keyWaitMs))
    if (event.upstreamStatus !== 'none') {
      firstByte({ operation }, seconds(event.firstByteMs))
      upstreamFirstByte({ operation }, seconds(event.upstreamMs))
    }
    received({ operation }, amount(event.bytesIn))
    sent({ operation }, amount(event.bytesOut))
    if (event.attempts > 0) {
      upstream({ operation }, amount(event.attempts))
      attempts({}, amount(event.attempts))
      candidates({ operation }, amount(event.keysRetried))
    }
    if (isPlainRead(event)) plain({ operation })
    if (outcome === 'encryption-unproven') unproven({})
  }
}

const isPlainRead = ({ keyVersion, method, status }: RequestEvent): boolean =>
  keyVersion === 'plain' && (method === 'GET' || method === 'HEAD') && status >= 200 && status < 300

const statusLabel = (status: number): string => (status >= 100 && status <= 599 ? String(Math.trunc(status)) : 'other')
