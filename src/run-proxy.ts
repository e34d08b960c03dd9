import { type Admin, startAdmin } from './telemetry/admin.js'
import { type Composed, compose, withKeyrings } from './compose.js'
import { type HttpProxyTransport, httpProxyTransport } from './upstream/http-proxy-transport.js'
import { type Listeners, SERVER_TIMES, startListeners } from './server.js'
import { type Logger, createLogger } from './telemetry/logger.js'
import { METRICS_CONTENT_TYPE, aggregateMetrics } from './telemetry/metric-registry.js'
import { type Metrics, createMetrics } from './telemetry/metrics.js'
import type { KeyVersionInfo } from './telemetry/keyring-metrics.js'
import { StartError, faultOf } from './server/start-error.js'
import { WORKER_TIMES, isWorker, runWorkers } from './workers.js'
import type { Config } from './config/types.js'
import { type KeyringOpener, followKeyringFiles } from './keyring-files.js'
import type { Keyring } from './keyring/port.js'
import type { KeyringEvent } from './keyring/kms-world.js'
import type { OpenedKeyring } from './keyring/create.js'
import { accessLog } from './telemetry/access-log.js'
import { leaderMetrics } from './telemetry/leader-metrics.js'
import { preflight } from './preflight.js'
import { linkToPrimary } from './workers/worker.js'
import { readFileSync } from 'node:fs'
import { requestHandler } from './proxy/handle-request.js'

/** What the process gives: its environment, clocks, randomness and signals. */
export interface RunWorld {
  /** Of this program. */
  readonly version: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly stop: () => Promise<void>
  /** Calls back at each SIGHUP. */
  readonly onReload: (reload: () => void) => void
  /** Opens keyring files again when they have changed. */
  readonly opener: KeyringOpener
  /** What keyrings in KMS tell. */
  readonly keyringEvents: (hear: (event: KeyringEvent) => void) => void
  /** Called once, when requests are taken. */
  readonly onReady: (addresses: readonly string[]) => void
}

/**
 * Runs the proxy until it is told to stop, in this process or in several workers, and drains it then.
 *
 * @throws StartError with one line for the operator
 */
export async function runProxy(config: Config, keyrings: readonly OpenedKeyring[], world: RunWorld): Promise<void> {
  const log = createLogger({ level: config.log.level, destination: 'stdout' })
  if (!isWorker()) await preflight(config, keyrings, world, log)
  if (isWorker()) await runAsWorker(config, keyrings, world, log)
  else if (config.workers > 1) await runAsPrimary(config, world, log)
  else await runAlone(config, keyrings, world, log)
}

/** The parts of one process that serves. */
interface Serving {
  readonly listeners: Listeners
  readonly metrics: Metrics
  /** Looks at certificate and keyring files now. */
  readonly reload: () => void
  readonly stop: () => Promise<{ readonly finished: number; readonly cut: number }>
}

async function startServing(
  config: Config,
  opened: readonly OpenedKeyring[],
  world: RunWorld,
  log: Logger,
): Promise<Serving> {
  let listeners: Listeners | 'none' = 'none'
  let loaded = opened
  const transport = openTransport(config, world)
  const metrics = createMetrics({
    inFlight: () => (listeners === 'none' ? 0 : listeners.inFlight()),
    upstreamSockets: () => {
      const { inUse, free, pending } = transport.stats()
      return { in_use: inUse, free, pending }
    },
    upstreamRetries: () => transport.stats().retries,
    remembered: () => pipeline.memory.lookUps(),
  })
  world.keyringEvents((event) => {
    metrics.keyringEvent(event)
    if (event.type !== 'failing') return
    const { keyring, keyVersion, failure } = event
    log.error({ keyring, keyVersion, kms: failure.type, reason: failure.reason }, 'KMS gives no key')
  })
  const writeAccessLog = accessLog({ log, objectKeys: config.log.objectKeys })
  const composed: Composed = compose(config, keyringsOf(opened), {
    now: world.now,
    monotonic: () => performance.now(),
    randomBytes: world.randomBytes,
    transport: transport.transport,
    observe: (event) => {
      metrics.observe(event)
      writeAccessLog(event)
    },
    warn: (message, detail) => log.warn(detail, message),
  })
  if (composed.type === 'problems') {
    throw new StartError(composed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '))
  }
  let { pipeline } = composed
  metrics.keyVersions(() => keyVersionsOf(loaded))
  listeners = await startListeners({
    listeners: config.listeners,
    timeouts: config.timeouts,
    times: SERVER_TIMES,
    handler: requestHandler(() => pipeline),
    log,
    observe: pipeline.observe,
    onCertificate: metrics.certificate,
    onCertificateReload: metrics.certificateReload,
  })
  const serving = listeners
  const files = followKeyringFiles(opened, {
    opener: world.opener,
    times: SERVER_TIMES,
    log,
    onChange: (changed) => {
      loaded = changed
      pipeline = withKeyrings(pipeline, config, keyringsOf(changed))
    },
    onReload: metrics.keyringReload,
  })
  return {
    listeners,
    metrics,
    reload: () => {
      serving.reloadCertificates()
      void files.reload()
    },
    stop: async () => {
      files.close()
      const drained = await serving.close({ timeoutMs: config.timeouts.drainMs })
      await transport.close()
      return drained
    },
  }
}

const keyringsOf = (opened: readonly OpenedKeyring[]): readonly Keyring[] => opened.map(({ keyring }) => keyring)

const keyVersionsOf = (opened: readonly OpenedKeyring[]): readonly KeyVersionInfo[] =>
  opened.flatMap(({ keyring, contents }) => {
    const versions = contents.type === 'objects' ? [] : contents.versions
    return keyring.keyVersions().map((keyVersion, i) => {
      const created = versions.find(({ id }) => id === keyVersion)?.created
      return {
        keyring: keyring.name,
        keyVersion,
        active: i === 0,
        created: created === undefined ? ('unknown' as const) : new Date(created),
      }
    })
  })

const leaderMetricsOf = ({ version, now }: RunWorld) =>
  leaderMetrics({ version, nodeVersion: process.version, started: now() })

function openTransport(config: Config, world: RunWorld): HttpProxyTransport {
  const { ca } = config.upstream
  try {
    return httpProxyTransport({
      ...config.upstream,
      ca: ca.type === 'system' ? 'system' : readFileSync(ca.file, 'utf8'),
      environment: world.env,
    })
  } catch (cause) {
    throw new StartError(`upstream: ${faultOf(cause)}`, cause)
  }
}

async function runAlone(
  config: Config,
  keyrings: readonly OpenedKeyring[],
  world: RunWorld,
  log: Logger,
): Promise<void> {
  const serving = await startServing(config, keyrings, world, log)
  let ready = true
  const leader = leaderMetricsOf(world)
  leader.workers({ wanted: 1, ready: 1, answered: 1 })
  const admin = await openAdmin(
    config,
    log,
    () => ready,
    async () => `${await serving.metrics.text()}\n${await leader.text()}`,
  ).catch(async (cause: unknown) => {
    await serving.stop()
    throw cause
  })
  world.onReload(serving.reload)
  const addresses = serving.listeners.addresses.map(({ address }) => address)
  log.info({ listeners: addresses, admin: admin === 'none' ? 'off' : admin.address }, 'ready')
  world.onReady(addresses)
  await world.stop()
  ready = false
  log.info({ drainMs: config.timeouts.drainMs }, 'stopping')
  log.info({ ...(await serving.stop()) }, 'stopped')
  if (admin !== 'none') await admin.close()
}

async function runAsPrimary(config: Config, world: RunWorld, log: Logger): Promise<void> {
  const leader = leaderMetricsOf(world)
  const workers = await runWorkers({
    count: config.workers,
    unixSockets: config.listeners.flatMap((listener) => (listener.type === 'unix' ? [listener.path] : [])),
    drainMs: config.timeouts.drainMs,
    times: WORKER_TIMES,
    log,
    onCrash: leader.workerCrashed,
  })
  const text = async () => {
    const { snapshots, ready, answered } = await workers.metrics()
    leader.workers({ wanted: config.workers, ready, answered })
    return `${await aggregateMetrics(snapshots)}\n${await leader.text()}`
  }
  const admin = await openAdmin(config, log, workers.ready, text).catch(async (cause: unknown) => {
    await workers.close()
    throw cause
  })
  world.onReload(workers.reload)
  log.info({ listeners: workers.addresses, workers: config.workers }, 'ready')
  world.onReady(workers.addresses)
  await world.stop()
  log.info({ drainMs: config.timeouts.drainMs }, 'stopping')
  log.info({ ...(await workers.close()) }, 'stopped')
  if (admin !== 'none') await admin.close()
}

/** Its primary says when it ends; the process exits in there. */
async function runAsWorker(
  config: Config,
  keyrings: readonly OpenedKeyring[],
  world: RunWorld,
  log: Logger,
): Promise<void> {
  const link = linkToPrimary()
  try {
    const serving = await startServing(config, keyrings, world, log)
    link.ready(
      serving.listeners.addresses.map(({ address }) => address),
      {
        drain: serving.stop,
        reload: serving.reload,
        snapshot: serving.metrics.snapshot,
      },
    )
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause
    await link.failed(cause.message)
  }
  await new Promise(() => undefined)
}

async function openAdmin(
  config: Config,
  log: Logger,
  ready: () => boolean,
  text: () => Promise<string>,
): Promise<Admin | 'none'> {
  if (config.admin.type === 'off') return 'none'
  return startAdmin({
    host: config.admin.host,
    port: config.admin.port,
    ready,
    metrics: async () => ({ contentType: METRICS_CONTENT_TYPE, text: await text() }),
    log,
  })
}
