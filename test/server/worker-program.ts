/** What workers.test.ts runs: a program that is primary and worker, as main is. Its environment says how it behaves. */
import type { Config, ListenerConfig } from '../../src/config/types.js'
import { SERVER_TIMES, startListeners } from '../../src/server.js'
import { aggregateMetrics } from '../../src/telemetry/metric-registry.js'
import { createMetrics } from '../../src/telemetry/metrics.js'
import { WORKER_TIMES, isWorker, runWorkers } from '../../src/workers.js'
import cluster from 'node:cluster'
import { StartError } from '../../src/server/start-error.js'
import { answer, sizeOf } from './harness.js'
import { createLogger, standardOutput } from '../../src/telemetry/logger.js'
import { linkToPrimary } from '../../src/workers/worker.js'

const listeners = JSON.parse(process.env.LISTENERS as string) as ListenerConfig[]
const drainMs = Number(process.env.DRAIN_MS ?? 5_000)
const timeouts: Config['timeouts'] = { headersMs: 10_000, clientIdleMs: 10_000, keepAliveMs: 10_000, drainMs }
const log = createLogger({ level: 'info', destination: standardOutput() })

async function work(): Promise<void> {
  const primary = linkToPrimary()
  const metrics = createMetrics({
    inFlight: () => open.inFlight(),
    upstreamSockets: () => ({}),
    upstreamRetries: () => 0,
    remembered: () => ({ hits: 0, misses: 0 }),
    audit: () => 'off',
  })
  if (process.env.FAIL === cluster.worker?.id.toString()) throw new Error('a fault of ours')
  const open = await startListeners({
    ...{ listeners, timeouts, times: SERVER_TIMES, log, observe: metrics.observe, onCertificate: metrics.certificate },
    outOfOrder: () => 'none',
    onBytes: () => undefined,
    onCertificateReload: metrics.certificateReload,
    handler: async (request, response) => {
      if (request.url === '/crash') process.exit(7)
      if (request.url === '/hang') for (;;);
      const size = await sizeOf(request)
      if (size !== 'cut off') answer(response, `got ${size}`, 200, { 'x-pid': String(process.pid) })
    },
  }).catch((error: unknown) => primary.failed((error as StartError).message))
  primary.ready(
    open.addresses.map(({ address }) => address),
    {
      drain: () => open.close({ timeoutMs: drainMs }),
      reload: () => log.info({}, 'reloaded'),
      snapshot: metrics.snapshot,
      failed: () => [],
      prepare: async () => ({ type: 'refused', problems: ['not here'] }),
    },
  )
}

async function lead(): Promise<void> {
  const unixSockets = listeners.flatMap((one) => (one.type === 'unix' ? [one.path] : []))
  const times = { ...WORKER_TIMES, firstBackoffMs: 10, metricsMs: 500, exitMs: 1_000 }
  const workers = await runWorkers({
    count: 2,
    unixSockets,
    drainMs,
    times,
    log,
    texts: new Map(),
    onCrash: (how) => log.info({ how }, 'crash heard'),
  })
  process.on('SIGTERM', () => {
    void workers.close().then((drained) => {
      log.info({ ...drained, ready: workers.ready() }, 'drained')
      process.exit(0)
    })
  })
  process.on('SIGHUP', workers.reload)
  process.on('SIGUSR2', () => {
    void workers.metrics().then(async ({ snapshots, answered: count }) => {
      const text = await aggregateMetrics(snapshots)
      log.info({ text, count, ready: workers.ready() }, 'metrics')
    })
  })
  log.info({ addresses: workers.addresses, ready: workers.ready() }, 'started')
}

try {
  await (isWorker() ? work() : lead())
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stdout.write(`${JSON.stringify({ msg: 'refused', line: error.message })}\n`)
  process.exit(1)
}
