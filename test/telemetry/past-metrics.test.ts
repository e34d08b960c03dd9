import t from 'tap'
import { aggregateMetrics } from '../../src/telemetry/metric-registry.js'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { pastMetrics } from '../../src/workers/past-metrics.js'
import { served } from './event.js'

const worker = (inFlight: number) =>
  createMetrics({
    inFlight: () => inFlight,
    upstreamSockets: () => ({}),
    upstreamRetries: () => 2,
    remembered: () => ({ hits: 1, misses: 0 }),
    audit: () => 'off',
  })

t.test('counters do not go back when workers crash, again and again; what they measured goes with them', async (t) => {
  const past = pastMetrics()
  for (let id = 1; id <= 3; id++) {
    const metrics = worker(5)
    for (let i = 0; i < id; i++) metrics.observe(served)
    // As it travels between processes.
    past.heard(id, JSON.parse(JSON.stringify(await metrics.snapshot())) as object[], [])
    past.gone(id)
    past.gone(id)
  }
  const alive = worker(1)
  alive.observe(served)
  past.heard(4, await alive.snapshot(), [])
  const snapshots = await past.all()
  t.equal(snapshots.length, 2, 'one for all that are gone, however many')
  const text = await aggregateMetrics(snapshots)
  t.match(
    text,
    'ssec_proxy_requests_total{operation="GetObject",status="200",outcome="complete",identity_class="default"} 7',
  )
  t.match(text, 'ssec_proxy_request_duration_seconds_bucket{le="+Inf",operation="GetObject"} 7')
  t.match(text, 'ssec_proxy_request_duration_seconds_count{operation="GetObject"} 7')
  t.match(text, 'ssec_proxy_upstream_retries_total 8')
  t.match(text, 'ssec_proxy_requests_in_flight 1\n')
})

t.test('a worker that is too busy to answer counts with its last', async (t) => {
  const past = pastMetrics()
  const metrics = worker(1)
  metrics.observe(served)
  past.heard(1, await metrics.snapshot(), [])
  for (let scrape = 0; scrape < 2; scrape++) {
    t.match(await aggregateMetrics(await past.all()), 'ssec_proxy_upstream_requests_total{operation="GetObject"} 1\n')
  }
})
