import { type Composed, compose, withKeyrings } from './compose.js'
import { type HttpProxyTransport, httpProxyTransport } from './upstream/http-proxy-transport.js'
import type { LogDestination, Logger } from './telemetry/logger.js'
import { type Listeners, SERVER_TIMES, startListeners } from './server.js'
import { type Metrics, createMetrics } from './telemetry/metrics.js'
import { StartError, faultOf } from './server/start-error.js'
import type { Config } from './config/types.js'
import type { KeyVersionInfo } from './telemetry/keyring-metrics.js'
import type { Keyring } from './keyring/port.js'
import type { OpenedKeyring } from './keyring/create.js'
import type { RunWorld } from './run-proxy.js'
import { accessLog } from './telemetry/access-log.js'
import { followKeyringFiles } from './keyring-files.js'
import { openAuditLog } from './telemetry/audit.js'
import { readFileSync } from 'node:fs'
import { requestHandler } from './proxy/handle-request.js'

/** Where a process writes to. */
export interface Output {
  readonly log: Logger
  readonly stdout: LogDestination
}

/** The parts of one process that serves. */
export interface Serving {
  readonly listeners: Listeners
  readonly metrics: Metrics
  /** Looks at certificate and keyring files now, and opens the audit log anew. */
  readonly reload: () => void
  readonly stop: () => Promise<{ readonly finished: number; readonly cut: number }>
}

export async function startServing(
  config: Config,
  opened: readonly OpenedKeyring[],
  world: RunWorld,
  { log, stdout }: Output,
): Promise<Serving> {
  const audit = config.audit.type === 'off' ? 'off' : openAuditLog(config.audit, { now: world.now, log, stdout })
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
  const writeAccessLog = accessLog({ log, objectKeys: config.log.objectKeys })
  const composed: Composed = compose(config, keyringsOf(opened), {
    now: world.now,
    monotonic: () => performance.now(),
    randomBytes: world.randomBytes,
    transport: transport.transport,
    observe: (event) => {
      metrics.observe(event)
      writeAccessLog(event)
      if (audit !== 'off') audit.observe(event)
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
    outOfOrder: audit === 'off' ? () => 'none' : audit.outOfOrder,
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
      if (audit !== 'off') audit.reopen()
      serving.reloadCertificates()
      void files.reload()
    },
    stop: async () => {
      files.close()
      const drained = await serving.close({ timeoutMs: config.timeouts.drainMs })
      await transport.close()
      if (audit !== 'off') await audit.close()
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
