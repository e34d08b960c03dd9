import { type Composed, compose, withKeyrings } from './compose.js'
import { type HttpProxyTransport, httpProxyTransport } from './upstream/http-proxy-transport.js'
import type { LogDestination, RootLogger } from './telemetry/logger.js'
import { type Listeners, SERVER_TIMES, startListeners } from './server.js'
import { type Metrics, createMetrics } from './telemetry/metrics.js'
import { StartError, faultOf } from './server/start-error.js'
import type { Config } from './config/types.js'
import type { KeyVersionInfo } from './telemetry/keyring-metrics.js'
import type { Keyring } from './keyring/port.js'
import type { OpenedKeyring } from './keyring/create.js'
import type { Prepared } from './reload/prepared.js'
import type { RunWorld } from './run-proxy.js'
import { accessLog } from './telemetry/access-log.js'
import { followKeyringFiles } from './keyring-files.js'
import { openKeyringsOf } from './reload/open-keyrings-of.js'
import { openAuditLog } from './telemetry/audit.js'
import { openTracing } from './telemetry/tracing.js'
import { readFileSync } from 'node:fs'
import { type RecentFailure, recentFailures } from './telemetry/recent-failures.js'
import { requestHandler } from './proxy/handle-request.js'
import { setV8Flags } from './server/v8-flags.js'
import { youngBuffers } from './server/young-buffers.js'

/** Where a process writes to. */
export interface Output {
  readonly log: RootLogger
  readonly stdout: LogDestination
}

/** The parts of one process that serves. */
export interface Serving {
  readonly listeners: Listeners
  readonly metrics: Metrics
  /** The last requests that were refused or failed. */
  readonly failed: () => readonly RecentFailure[]
  /** Looks at certificate and keyring files now, and opens the audit log anew. */
  readonly reload: () => void
  /** Makes another configuration ready; requests that come after its commit go by it. */
  readonly prepare: (config: Config) => Promise<Prepared>
  readonly stop: () => Promise<{ readonly finished: number; readonly cut: number }>
}

export async function startServing(
  config: Config,
  opened: readonly OpenedKeyring[],
  world: RunWorld,
  { log, stdout }: Output,
): Promise<Serving> {
  setV8Flags()
  const audit = config.audit.type === 'off' ? 'off' : openAuditLog(config.audit, { now: world.now, log, stdout })
  const { version, now } = world
  const tracing = config.tracing.type === 'off' ? 'off' : await openTracing(config.tracing, { version, now, log })
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
    audit: () => (audit === 'off' ? 'off' : audit.state()),
  })
  world.keyringEvents((event) => {
    metrics.keyringEvent(event)
    if (event.type !== 'failing') return
    const { keyring, keyVersion, failure } = event
    log.error({ keyring, keyVersion, kms: failure.type, reason: failure.reason }, 'KMS gives no key')
  })
  const failures = recentFailures(world.now)
  const composeOf = (given: Config, keyrings: readonly OpenedKeyring[]): Composed => {
    const { objectKeys } = given.log
    const writeAccessLog = accessLog({ log, objectKeys })
    return compose(given, keyringsOf(keyrings), {
      now: world.now,
      monotonic: () => performance.now(),
      randomBytes: world.randomBytes,
      transport: transport.transport,
      observe: (event) => {
        // First: an access log that cannot be written throws.
        if (audit !== 'off') audit.observe(event)
        metrics.observe(event)
        writeAccessLog(tracing === 'off' ? event : tracing.observe(event, objectKeys))
        failures.note(event, objectKeys)
      },
      warn: (message, detail) => log.warn(detail, message),
    })
  }
  const composed = composeOf(config, opened)
  if (composed.type === 'problems') throw new StartError(linesOf(composed.problems).join('; '))
  let { pipeline } = composed
  let inUse = config
  metrics.keyVersions(() => keyVersionsOf(loaded))
  listeners = await startListeners({
    listeners: config.listeners,
    timeouts: config.timeouts,
    times: SERVER_TIMES,
    handler: requestHandler(() => pipeline),
    log,
    observe: (event) => pipeline.observe(event),
    outOfOrder: audit === 'off' ? () => 'none' : audit.outOfOrder,
    onBytes: youngBuffers(),
    onCertificate: metrics.certificate,
    onCertificateReload: metrics.certificateReload,
  })
  const serving = listeners
  const follow = (keyrings: readonly OpenedKeyring[]) =>
    followKeyringFiles(keyrings, {
      opener: world.opener,
      times: SERVER_TIMES,
      log,
      onChange: (changed) => {
        loaded = changed
        pipeline = withKeyrings(pipeline, inUse, keyringsOf(changed))
      },
      onReload: metrics.keyringReload,
    })
  let files = follow(opened)
  const prepare = async (next: Config): Promise<Prepared> => {
    const opening = await openKeyringsOf(next, () => loaded, world.opener, log)
    if (opening.type === 'refused') return opening
    const composing = composeOf(next, opening.keyrings())
    if (composing.type === 'problems') return { type: 'refused', problems: linesOf(composing.problems) }
    return {
      type: 'ready',
      abort: () => undefined,
      commit: () => {
        files.close()
        // A keyring file may have been taken up since.
        loaded = opening.keyrings()
        inUse = next
        // What was learned of objects and buckets stays true.
        const { memory, etags, regions } = pipeline
        pipeline = withKeyrings({ ...composing.pipeline, memory, etags, regions }, next, keyringsOf(loaded))
        metrics.keyVersions(() => keyVersionsOf(loaded))
        files = follow(loaded)
        log.setLevel(next.log.level)
      },
    }
  }
  return {
    listeners,
    metrics,
    failed: failures.list,
    prepare,
    reload: () => {
      if (audit !== 'off') audit.reopen()
      serving.reloadCertificates()
      void files.reload()
    },
    stop: async () => {
      files.close()
      const drained = await serving.close({ timeoutMs: config.timeouts.drainMs })
      await transport.close()
      if (audit !== 'off') await audit.close()
      if (tracing !== 'off') await tracing.close()
      return drained
    },
  }
}

const linesOf = (problems: readonly { readonly path: string; readonly message: string }[]) =>
  problems.map(({ path, message }) => `${path}: ${message}`)

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
