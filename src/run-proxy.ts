import { type Admin, type AdminStatus, startAdmin } from './telemetry/admin.js'
import { type Logger, type RootLogger, createLogger, standardOutput } from './telemetry/logger.js'
import { METRICS_CONTENT_TYPE, aggregateMetrics } from './telemetry/metric-registry.js'
import { type Output, startServing } from './serving.js'
import { type FollowedConfig, followConfig, textsOf } from './reload/follow-config.js'
import type { ConfigSource, ReadConfig } from './config-source.js'
import type { LeaderMetrics } from './telemetry/leader-metrics.js'
import type { Prepared } from './reload/prepared.js'
import type { Texts } from './config/texts.js'
import { SERVER_TIMES } from './server.js'
import { formatProblem } from './config/load.js'
import { WORKER_TIMES, isWorker, runWorkers } from './workers.js'
import type { Config } from './config/types.js'
import type { KeyringEvent } from './keyring/kms-world.js'
import type { KeyringOpener } from './keyring-files.js'
import type { OpenedKeyring } from './keyring/create.js'
import { StartError, faultOf } from './server/start-error.js'
import { type RecentFailure, newestFirst } from './telemetry/recent-failures.js'
import { leaderMetrics } from './telemetry/leader-metrics.js'
import { checkSigner } from './sigv4/check-signer.js'
import { preflight } from './preflight.js'
import { type SeenMD5, demandMD5, refusalsOfMD5 } from './demand-md5.js'
import { linkToPrimary } from './workers/worker.js'

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
  /** Reads the configuration again. */
  readonly source: ConfigSource
  /** What it was read from at the start. */
  readonly seen: ReadConfig['seen']
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
  const stdout = standardOutput()
  const log = createLogger({ level: config.log.level, destination: stdout })
  checkOwnSigner()
  if (isWorker()) {
    await runAsWorker(config, keyrings, world, { log, stdout })
    return
  }
  await preflight(config, keyrings, world, log)
  const seenMD5 = await demandMD5(config, world, log)
  if (config.workers > 1) await runAsPrimary(config, world, log, seenMD5)
  else await runAlone(config, keyrings, world, { log, stdout }, seenMD5)
}

/** aws4 is the reference: a process whose signatures are others must not send any. */
function checkOwnSigner(): void {
  try {
    checkSigner()
  } catch (cause) {
    throw new StartError(`signatures cannot be trusted: ${faultOf(cause)}`, cause)
  }
}

const leaderMetricsOf = ({ version, now }: RunWorld) =>
  leaderMetrics({ version, nodeVersion: process.version, started: now() })

async function runAlone(
  config: Config,
  keyrings: readonly OpenedKeyring[],
  world: RunWorld,
  output: Output,
  seenMD5: SeenMD5,
): Promise<void> {
  const { log } = output
  const serving = await startServing(config, keyrings, world, output)
  let ready = true
  const leader = leaderMetricsOf(world)
  leader.workers({ wanted: 1, ready: 1, answered: 1 })
  const admin = await openAdmin(
    config,
    log,
    () => ready,
    async () => `${await serving.metrics.text()}\n${await leader.text()}`,
    statusOf(world, () => newestFirst([serving.failed()])),
  ).catch(async (cause: unknown) => {
    await serving.stop()
    throw cause
  })
  const followed = follow(config, world, log, leader, seenMD5, serving.prepare)
  world.onReload(() => {
    serving.reload()
    void followed.reload()
  })
  const addresses = serving.listeners.addresses.map(({ address }) => address)
  log.info({ listeners: addresses, admin: admin === 'none' ? 'off' : admin.address }, 'ready')
  world.onReady(addresses)
  await world.stop()
  ready = false
  followed.close()
  log.info({ drainMs: config.timeouts.drainMs }, 'stopping')
  log.info({ ...(await serving.stop()) }, 'stopped')
  if (admin !== 'none') await admin.close()
}

async function runAsPrimary(config: Config, world: RunWorld, log: RootLogger, seenMD5: SeenMD5): Promise<void> {
  const leader = leaderMetricsOf(world)
  const workers = await runWorkers({
    count: config.workers,
    unixSockets: config.listeners.flatMap((listener) => (listener.type === 'unix' ? [listener.path] : [])),
    drainMs: config.timeouts.drainMs,
    times: WORKER_TIMES,
    log,
    texts: textsOf(world.seen),
    onCrash: leader.workerCrashed,
  })
  let lastFailed: readonly RecentFailure[] = []
  const text = async () => {
    const { snapshots, ready, answered, failed } = await workers.metrics()
    lastFailed = failed
    leader.workers({ wanted: config.workers, ready, answered })
    return `${await aggregateMetrics(snapshots)}\n${await leader.text()}`
  }
  const status = statusOf(world, () => lastFailed)
  const admin = await openAdmin(config, log, workers.ready, text, status).catch(async (cause: unknown) => {
    await workers.close()
    throw cause
  })
  const followed = follow(config, world, log, leader, seenMD5, async (next, texts) => {
    const prepared = await workers.prepare(texts)
    if (prepared.type === 'refused') return prepared
    const commit = () => {
      log.setLevel(next.log.level)
      prepared.commit()
    }
    return { ...prepared, commit }
  })
  world.onReload(() => {
    workers.reload()
    void followed.reload()
  })
  log.info({ listeners: workers.addresses, workers: config.workers }, 'ready')
  world.onReady(workers.addresses)
  await world.stop()
  followed.close()
  log.info({ drainMs: config.timeouts.drainMs }, 'stopping')
  log.info({ ...(await workers.close()) }, 'stopped')
  if (admin !== 'none') await admin.close()
}

/** Its primary says when it ends; the process exits in there. */
async function runAsWorker(
  config: Config,
  keyrings: readonly OpenedKeyring[],
  world: RunWorld,
  output: Output,
): Promise<void> {
  const link = linkToPrimary()
  try {
    const serving = await startServing(config, keyrings, world, output)
    link.ready(
      serving.listeners.addresses.map(({ address }) => address),
      {
        drain: serving.stop,
        reload: serving.reload,
        snapshot: serving.metrics.snapshot,
        failed: serving.failed,
        prepare: async (texts) => {
          const loaded = world.source.from(texts)
          if (loaded.type === 'config') return serving.prepare(loaded.config)
          return { type: 'refused', problems: loaded.problems.map(formatProblem) }
        },
      },
    )
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause
    await link.failed(cause.message)
  }
  await new Promise(() => undefined)
}

function follow(
  config: Config,
  world: RunWorld,
  log: Logger,
  leader: LeaderMetrics,
  seenMD5: SeenMD5,
  prepare: (config: Config, texts: Texts) => Promise<Prepared>,
): FollowedConfig {
  const { source, seen } = world
  return followConfig({
    source,
    config,
    seen,
    times: SERVER_TIMES,
    log,
    // What the start would have asked the upstream, a later rule does not get around.
    prepare: async (next, texts) => {
      const problems = await refusalsOfMD5(next, seenMD5, world, log).catch((error: unknown) => {
        if (error instanceof StartError) return [error.message]
        throw error
      })
      return problems.length > 0 ? { type: 'refused', problems } : prepare(next, texts)
    },
    onReload: leader.configReload,
  })
}

function statusOf({ version, now }: RunWorld, failed: () => readonly RecentFailure[]): () => AdminStatus {
  const started = now().getTime()
  return () => ({ version, uptimeSeconds: Math.max(0, (now().getTime() - started) / 1000), failed: failed() })
}

async function openAdmin(
  config: Config,
  log: Logger,
  ready: () => boolean,
  text: () => Promise<string>,
  status: () => AdminStatus,
): Promise<Admin | 'none'> {
  if (config.admin.type === 'off') return 'none'
  return startAdmin({
    host: config.admin.host,
    port: config.admin.port,
    ready,
    metrics: async () => ({ contentType: METRICS_CONTENT_TYPE, text: await text() }),
    status,
    log,
  })
}
