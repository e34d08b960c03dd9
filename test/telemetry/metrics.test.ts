import t from 'tap'
import { aggregateMetrics } from '../../src/telemetry/metric-registry.js'
import { type MetricSources, createMetrics } from '../../src/telemetry/metrics.js'
import { served } from './event.js'

const idle: MetricSources = {
  inFlight: () => 0,
  upstreamSockets: () => ({}),
  upstreamRetries: () => 0,
  remembered: () => ({ hits: 0, misses: 0 }),
  audit: () => 'off',
}
const created = new Date('2026-01-01T00:00:00Z')
const sample = (text: string, name: string) =>
  text.split('\n').find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))

t.test('each request is counted by operation, status and outcome, with its times and bytes', async (t) => {
  const { observe, text } = createMetrics(idle)
  observe(served)
  observe({
    ...served,
    signature: 'v2-presigned',
    attempts: 4,
    keysRetried: 2,
    bytesIn: 5,
    keyVersion: 'v0',
    totalMs: 2_000,
  })
  observe({
    ...served,
    status: 403,
    outcome: 'refused',
    errorCode: 'AccessDenied',
    stage: 'authorize',
    upstreamStatus: 'none',
    keyring: 'none',
    attempts: 0,
    keysRetried: 0,
  })
  const said = await text()
  for (const line of [
    'ssec_proxy_requests_total{operation="GetObject",status="200",outcome="complete",identity_class="default"} 2',
    'ssec_proxy_requests_total{operation="GetObject",status="403",outcome="refused",identity_class="default"} 1',
    'ssec_proxy_request_duration_seconds_bucket{le="0.05",operation="GetObject"} 2',
    'ssec_proxy_request_duration_seconds_count{operation="GetObject"} 3',
    'ssec_proxy_first_byte_seconds_count{operation="GetObject"} 2',
    'ssec_proxy_key_seconds_count 2',
    'ssec_proxy_received_bytes_total{operation="GetObject"} 5',
    'ssec_proxy_sent_bytes_total{operation="GetObject"} 3000',
    'ssec_proxy_upstream_requests_total{operation="GetObject"} 5',
    'ssec_proxy_attempts_count 2',
    'ssec_proxy_authentication_seconds_count 3',
    'ssec_proxy_authentication_seconds_bucket{le="0.0005"} 3',
    'ssec_proxy_key_seconds_bucket{le="0.0001"} 2',
    'ssec_proxy_upstream_first_byte_seconds_sum{operation="GetObject"} 0.024',
    'ssec_proxy_signatures_total{signature="v4",identity_class="default"} 2',
    'ssec_proxy_signatures_total{signature="v2-presigned",identity_class="default"} 1',
    'ssec_proxy_refusals_total{stage="authorize",code="AccessDenied"} 1',
    'ssec_proxy_candidates_retried_total{operation="GetObject"} 2',
    'ssec_proxy_encryption_unproven_total 0',
  ]) {
    t.ok(said.split('\n').includes(line), line)
  }
})

t.test('encryption that was not proven, and reads of plain objects', async (t) => {
  const { observe, text } = createMetrics(idle)
  observe({ ...served, operation: 'PutObject', method: 'PUT', status: 502, outcome: 'encryption-unproven' })
  observe({ ...served, keyVersion: 'plain' })
  observe({ ...served, keyVersion: 'plain', status: 404 })
  observe({ ...served, keyVersion: 'plain', method: 'PUT', operation: 'PutObject' })
  const said = await text()
  t.equal(sample(said, 'ssec_proxy_encryption_unproven_total'), 'ssec_proxy_encryption_unproven_total 1')
  t.equal(sample(said, 'ssec_proxy_plain_reads_total'), 'ssec_proxy_plain_reads_total{operation="GetObject"} 1')
})

t.test('why the upstream gave no answer', async (t) => {
  const { observe, text } = createMetrics(idle)
  observe({ ...served, status: 503, outcome: 'upstream-failed', failure: 'timeout' })
  observe({ ...served, outcome: 'upstream-failed' })
  observe({ ...served, status: 499, outcome: 'client-gone', failure: 'aborted' })
  const said = await text()
  t.match(said, 'ssec_proxy_upstream_failures_total{reason="timeout"} 1')
  t.match(said, 'ssec_proxy_upstream_failures_total{reason="other"} 1')
  t.notMatch(said, 'reason="aborted"', 'a client that left is none of the upstream')
})

t.test('what is asked when metrics are read', async (t) => {
  let inFlight = 3
  const metrics = createMetrics({
    inFlight: () => inFlight,
    upstreamSockets: () => ({ active: 2, idle: 5 }),
    upstreamRetries: () => 7,
    remembered: () => ({ hits: 3, misses: 1 }),
    audit: () => 'off',
  })
  metrics.certificate({ listener: 'https :1', notAfter: new Date(1_900_000_000_000) })
  metrics.keyVersions(() => [{ keyring: 'old', keyVersion: 'v0', active: true, created }])
  metrics.keyVersions(() => [{ keyring: 'main', keyVersion: 'v1', active: true, created }])
  const said = await metrics.text()
  t.match(said, 'ssec_proxy_requests_in_flight 3')
  t.match(said, 'ssec_proxy_upstream_sockets{state="active"} 2')
  t.match(said, 'ssec_proxy_upstream_sockets{state="idle"} 5')
  t.match(said, 'ssec_proxy_upstream_retries_total 7')
  t.match(said, 'ssec_proxy_remembered_look_ups_total{result="hit"} 3')
  t.match(said, 'ssec_proxy_remembered_look_ups_total{result="miss"} 1')
  t.match(said, 'ssec_proxy_tls_certificate_not_after_seconds{listener="https :1"} 1900000000')
  t.match(said, 'ssec_proxy_tls_certificate_reload_failed{listener="https :1"} 0')
  t.match(said, 'ssec_proxy_key_version_created_seconds{keyring="main",key_version="v1"} 1767225600')
  t.match(said, 'ssec_proxy_key_version_info{keyring="main",key_version="v1",active="true"} 1')
  t.notMatch(said, 'keyring="old"')
  t.match(said, 'ssec_proxy_keyring_reload_failed{keyring="main"} 0', 'there before anything fails, for alerts')
  t.match(said, /^nodejs_eventloop_lag_p99_seconds /m)
  t.match(said, /^process_resident_memory_bytes /m)
  inFlight = 0
  t.match(await metrics.text(), 'ssec_proxy_requests_in_flight 0')
})

t.test('keyring files that changed', async (t) => {
  const metrics = createMetrics(idle)
  let active = false
  metrics.keyVersions(() => [{ keyring: 'main', keyVersion: 'v1', active, created }])
  metrics.keyringReload('main', 'refused')
  t.match(await metrics.text(), 'ssec_proxy_keyring_reload_failed{keyring="main"} 1')
  metrics.keyringReload('main', 'restored')
  t.match(await metrics.text(), 'ssec_proxy_keyring_reload_failed{keyring="main"} 0')
  metrics.keyringReload('main', 'refused')
  metrics.keyringReload('main', 'accepted')
  active = true
  const said = await metrics.text()
  t.match(said, 'ssec_proxy_keyring_reload_failed{keyring="main"} 0')
  t.match(said, 'ssec_proxy_keyring_reloads_total{keyring="main",result="refused"} 2')
  t.match(said, 'ssec_proxy_keyring_reloads_total{keyring="main",result="accepted"} 1')
  t.match(said, 'key_version_info{keyring="main",key_version="v1",active="true"} 1', 'asked again each time')
  t.notMatch(said, 'active="false"')
})

t.test('nothing that a client chooses becomes a label, and the number of series is bounded', async (t) => {
  const { observe, text } = createMetrics(idle)
  for (let i = 0; i < 2_000; i++) {
    const chosen = `chosen${i}`
    observe({
      ...served,
      bucket: chosen,
      objectKey: chosen,
      identity: chosen,
      outcome: 'client-gone',
      remoteAddress: chosen,
      errorCode: chosen,
    })
    observe({
      ...served,
      requestId: chosen,
      reason: chosen,
      method: chosen,
      keyring: chosen,
      upstreamRequestId: chosen,
    })
    observe({ ...served, operation: `Operation${i}`, status: i, identityClass: `class${i}` })
    observe({ ...served, outcome: 'refused', errorCode: `Code${i}` })
  }
  const said = await text()
  t.notMatch(said, 'chosen')
  t.match(said, 'ssec_proxy_sent_bytes_total{operation="other"}')
  t.match(said, 'code="other"')
  t.match(said, 'identity_class="other"')
  t.ok(said.split('\n').length < 15_000)
})

t.test('numbers that are none do not spoil the sums', async (t) => {
  const { observe, text } = createMetrics(idle)
  for (const odd of [NaN, Infinity, -1, undefined as unknown as number]) {
    observe({
      ...served,
      keyMs: odd,
      firstByteMs: odd,
      totalMs: odd,
      bytesIn: odd,
      bytesOut: odd,
      attempts: odd,
      keysRetried: odd,
      status: odd,
    })
  }
  observe(served)
  const said = await text()
  t.notMatch(said, /^ssec_proxy.*(NaN|undefined|Infinity|-1)$/m)
  t.match(said, 'ssec_proxy_request_duration_seconds_sum{operation="GetObject"} 0.04')
})

t.test('workers are taken together: sums, and the certificate that expires first', async (t) => {
  const snapshots = []
  for (const [i, notAfter] of [2_000_000_000_000, 1_900_000_000_000].entries()) {
    const metrics = createMetrics({ ...idle, inFlight: () => i + 1, upstreamSockets: () => ({ idle: 1 }) })
    metrics.observe(served)
    metrics.certificate({ listener: 'x', notAfter: new Date(notAfter) })
    metrics.keyVersions(() => [{ keyring: 'main', keyVersion: 'v1', active: true, created }])
    // As it travels between processes.
    snapshots.push(JSON.parse(JSON.stringify(await metrics.snapshot())) as object[])
  }
  const said = await aggregateMetrics(snapshots)
  t.match(
    said,
    'ssec_proxy_requests_total{operation="GetObject",status="200",outcome="complete",identity_class="default"} 2',
  )
  t.match(said, 'ssec_proxy_request_duration_seconds_bucket{le="+Inf",operation="GetObject"} 2')
  t.match(said, 'ssec_proxy_requests_in_flight 3')
  t.match(said, 'ssec_proxy_tls_certificate_not_after_seconds{listener="x"} 1900000000')
  t.match(said, 'ssec_proxy_key_version_info{keyring="main",key_version="v1",active="true"} 1')
  t.equal(await aggregateMetrics([]), '\n')
})
