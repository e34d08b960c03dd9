import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { KeyringEvent } from '../keyring/kms-world.js'
import type { RequestEvent, RequestObserver } from '../proxy/event.js'

export interface MetricSources {
  /** Requests that are running now. */
  readonly inFlight: () => number
  /** Sockets to the upstream by what they do, say `active` and `idle`; a handful of names. */
  readonly upstreamSockets: () => Readonly<Record<string, number>>
}

export interface KeyVersionInfo {
  readonly keyring: string
  readonly keyVersion: string
  readonly active: boolean
}

/** What a worker sends to its primary: plain data. */
export type MetricsSnapshot = readonly object[]

export interface Metrics {
  readonly observe: RequestObserver
  readonly certificate: (certificate: { readonly listener: string; readonly notAfter: Date }) => void
  /** Asked at each look at the metrics: which key version is active is also a matter of time. */
  readonly keyVersions: (ask: () => readonly KeyVersionInfo[]) => void
  /** What keyrings in KMS tell. */
  readonly keyringEvent: (event: KeyringEvent) => void
  /** What became of a keyring file that changed. */
  readonly keyringReload: (keyring: string, result: 'accepted' | 'refused' | 'restored') => void
  /** Prometheus' text format. */
  readonly text: () => Promise<string>
  readonly snapshot: () => Promise<MetricsSnapshot>
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** The text of several processes' metrics, taken together: sums, but the smallest of what expires. */
export const aggregateMetrics = (snapshots: readonly MetricsSnapshot[]): Promise<string> =>
  AggregatorRegistry.aggregate(snapshots as unknown as object[]).metrics()

/** Series that operations may make: more than S3 has operations, so that a mistake elsewhere cannot make thousands. */
const MOST_OPERATIONS = 200
const MOST_KEY_VERSIONS = 500

const TOTAL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200]
const FIRST_BYTE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const KMS_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
const KEY_BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/**
 * The process's metrics in a registry of their own. No label has a value that a client can choose: no bucket, object
 * key, identity, address or error text.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `ssec_proxy_${name}`, help, labelNames: [...labelNames], registers })
  const histogram = (name: string, help: string, buckets: readonly number[], labelNames: readonly string[]) =>
    new Histogram({ name: `ssec_proxy_${name}`, help, buckets: [...buckets], labelNames: [...labelNames], registers })

  const requests = counter('requests_total', 'Requests that are over', ['operation', 'status', 'outcome'])
  const duration = histogram('request_duration_seconds', 'From head to end', TOTAL_BUCKETS, ['operation'])
  const firstByte = histogram('first_byte_seconds', "From head to the upstream's head", FIRST_BYTE_BUCKETS, [
    'operation',
  ])
  const key = histogram('key_seconds', 'From head to customer keys at hand', KEY_BUCKETS, [])
  const received = counter('received_bytes_total', 'Body bytes from clients', ['operation'])
  const sent = counter('sent_bytes_total', 'Body bytes to clients', ['operation'])
  const upstream = counter('upstream_requests_total', 'Requests sent to the upstream', ['operation'])
  const attempts = histogram('attempts', 'Requests sent to the upstream for one of a client', [1, 2, 3, 4, 6, 8], [])
  const candidates = counter('candidates_retried_total', 'Requests sent again with another key', ['operation'])
  const plain = counter('plain_reads_total', 'Reads of objects that no customer key encrypts', ['operation'])
  const unproven = counter('encryption_unproven_total', 'Answers of the upstream without proof of encryption')

  new Gauge({
    name: 'ssec_proxy_requests_in_flight',
    help: 'Requests that are running',
    registers,
    collect() {
      this.set(sources.inFlight())
    },
  })
  new Gauge({
    name: 'ssec_proxy_upstream_sockets',
    help: 'Sockets to the upstream',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.upstreamSockets())) this.set({ state }, count)
    },
  })
  const notAfter = new Gauge({
    name: 'ssec_proxy_tls_certificate_not_after_seconds',
    help: 'When the certificate of a listener expires, seconds since 1970',
    labelNames: ['listener'],
    registers,
    aggregator: 'min',
  })
  let askKeyVersions: () => readonly KeyVersionInfo[] = () => []
  new Gauge({
    name: 'ssec_proxy_key_version_info',
    help: 'Key versions that are loaded; the active one is used for writes',
    labelNames: ['keyring', 'key_version', 'active'],
    registers,
    aggregator: 'max',
    collect() {
      this.reset()
      for (const { keyring, keyVersion, active } of askKeyVersions().slice(0, MOST_KEY_VERSIONS)) {
        this.set({ keyring, key_version: keyVersion, active: String(active) }, 1)
      }
    },
  })
  const reloads = counter('keyring_reloads_total', 'Changed keyring files, by what became of them', [
    'keyring',
    'result',
  ])
  const reloadFailed = new Gauge({
    name: 'ssec_proxy_keyring_reload_failed',
    help: '1 while the keyring file is refused and an older keyring is in use',
    labelNames: ['keyring'],
    registers,
    aggregator: 'max',
  })

  const kmsCalls = counter('kms_calls_total', 'Calls of KMS that are over', ['keyring', 'operation', 'outcome'])
  const kmsSeconds = histogram('kms_call_seconds', 'One call of KMS', KMS_BUCKETS, ['operation'])
  const kmsLookUps = counter('kms_look_ups_total', 'Keys from KMS that were asked for: hit, miss or stale', [
    'keyring',
    'result',
  ])
  const unwrappedAt = new Map<string, KeyringEvent & { type: 'unwrapped' }>()
  new Gauge({
    name: 'ssec_proxy_unwrapped_age_seconds',
    help: 'Since KMS unwrapped the key version for the last time',
    labelNames: ['keyring', 'key_version'],
    registers,
    aggregator: 'max',
    collect() {
      this.reset()
      for (const { keyring, keyVersion, at } of unwrappedAt.values()) {
        this.set({ keyring, key_version: keyVersion }, seconds(performance.now() - at))
      }
    },
  })
  const keyringEvent = (event: KeyringEvent) => {
    const { keyring } = event
    switch (event.type) {
      case 'call':
        kmsCalls.inc({ keyring, operation: event.operation, outcome: event.outcome })
        kmsSeconds.observe({ operation: event.operation }, seconds(event.ms))
        return
      case 'look-up':
        kmsLookUps.inc({ keyring, result: event.result })
        return
      case 'unwrapped': {
        const name = `${keyring} ${event.keyVersion}`
        if (unwrappedAt.has(name) || unwrappedAt.size < MOST_KEY_VERSIONS) unwrappedAt.set(name, event)
        return
      }
      case 'failing':
    }
  }

  const operationLabel = bounded(MOST_OPERATIONS)
  const observe = (event: RequestEvent) => {
    const operation = operationLabel(event.operation)
    requests.inc({ operation, status: statusLabel(event.status), outcome: event.outcome })
    duration.observe({ operation }, seconds(event.totalMs))
    if (event.upstreamStatus !== 'none') firstByte.observe({ operation }, seconds(event.firstByteMs))
    if (event.keyring !== 'none') key.observe(seconds(event.keyMs))
    received.inc({ operation }, amount(event.bytesIn))
    sent.inc({ operation }, amount(event.bytesOut))
    if (event.attempts > 0) {
      upstream.inc({ operation }, amount(event.attempts))
      attempts.observe(amount(event.attempts))
      candidates.inc({ operation }, amount(event.keysRetried))
    }
    if (isPlainRead(event)) plain.inc({ operation })
    if (event.outcome === 'encryption-unproven') unproven.inc()
  }

  return {
    observe,
    certificate: (certificate) =>
      notAfter.set({ listener: certificate.listener }, certificate.notAfter.getTime() / 1000),
    keyVersions: (ask) => {
      askKeyVersions = ask
      reloadFailed.reset()
      for (const { keyring } of ask()) reloadFailed.set({ keyring }, 0)
    },
    keyringEvent,
    keyringReload: (keyring, result) => {
      reloadFailed.set({ keyring }, result === 'refused' ? 1 : 0)
      if (result !== 'restored') reloads.inc({ keyring, result })
    },
    text: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
  }
}

const isPlainRead = ({ keyVersion, method, status }: RequestEvent): boolean =>
  keyVersion === 'plain' && (method === 'GET' || method === 'HEAD') && status >= 200 && status < 300

/** A label that takes at most `most` values; the rest are `other`. */
function bounded(most: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (!known.has(value) && known.size < most) known.add(value)
    return known.has(value) ? value : 'other'
  }
}

const statusLabel = (status: number): string => (status >= 100 && status <= 599 ? String(Math.trunc(status)) : 'other')

/** One NaN would spoil a sum for the life of the process. */
const amount = (value: number): number => (Number.isFinite(value) && value > 0 ? value : 0)
const seconds = (ms: number): number => amount(ms) / 1000
