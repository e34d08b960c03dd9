import { type MetricRegistry, type MetricsSnapshot, metricRegistry } from './metric-registry.js'
import { type KeyringMetrics, keyringMetrics } from './keyring-metrics.js'
import type { AuditState } from './audit.js'
import type { RequestObserver } from '../proxy/event.js'
import { requestMetrics } from './request-metrics.js'

export interface MetricSources {
  /** Requests that are running now. */
  readonly inFlight: () => number
  /** Sockets to the upstream by what they do, say `active` and `idle`; a handful of names. */
  readonly upstreamSockets: () => Readonly<Record<string, number>>
  /** Requests sent to the upstream a second time because a kept connection was dead, since the start. */
  readonly upstreamRetries: () => number
  /** How often the memory of fitting key versions was asked, since the start. */
  readonly remembered: () => { readonly hits: number; readonly misses: number }
  readonly audit: () => AuditState | 'off'
}

export interface Metrics extends KeyringMetrics {
  readonly observe: RequestObserver
  readonly certificate: (certificate: { readonly listener: string; readonly notAfter: Date }) => void
  /** What became of a certificate that changed. */
  readonly certificateReload: (listener: string, result: 'accepted' | 'refused') => void
  /** Prometheus' text format. */
  readonly text: () => Promise<string>
  readonly snapshot: () => Promise<MetricsSnapshot>
}

/**
 * The metrics of a process that serves. No label has a value that a client can choose: no bucket, object key, identity's
 * name, address or error text.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = metricRegistry()
  registry.ofProcess()
  const observe = requestMetrics(registry)
  registry.asked({ name: 'requests_in_flight', help: 'Requests that are running', across: 'sum' }, () => [
    [{}, sources.inFlight()],
  ])
  registry.asked({ name: 'upstream_sockets', help: 'Sockets to the upstream', labels: ['state'], across: 'sum' }, () =>
    Object.entries(sources.upstreamSockets()).map(([state, count]) => [{ state }, count]),
  )
  registry.total(
    { name: 'upstream_retries_total', help: 'Requests sent again because a kept connection was dead' },
    () => [[{}, sources.upstreamRetries()]],
  )
  registry.total(
    {
      name: 'remembered_look_ups_total',
      help: 'Reads that asked the memory which key version fitted the object last',
      labels: ['result'],
    },
    () => {
      const { hits, misses } = sources.remembered()
      return [
        [{ result: 'hit' }, hits],
        [{ result: 'miss' }, misses],
      ]
    },
  )
  auditMetrics(registry, sources.audit)
  const notAfter = registry.gauge({
    name: 'tls_certificate_not_after_seconds',
    help: 'When the certificate of a listener expires, seconds since 1970',
    labels: ['listener'],
    across: 'min',
  })
  const reloadFailed = registry.gauge({
    name: 'tls_certificate_reload_failed',
    help: '1 while the certificate on the disk is refused and an older one is in use',
    labels: ['listener'],
    across: 'max',
  })
  return {
    observe,
    certificate: ({ listener, notAfter: at }) => {
      notAfter({ listener }, at.getTime() / 1000)
      reloadFailed({ listener }, 0)
    },
    certificateReload: (listener, result) => reloadFailed({ listener }, result === 'refused' ? 1 : 0),
    ...keyringMetrics(registry),
    text: () => registry.text(),
    snapshot: () => registry.snapshot(),
  }
}

function auditMetrics(registry: MetricRegistry, ask: MetricSources['audit']): void {
  const of = (value: (state: AuditState) => number) => () => {
    const state = ask()
    return state === 'off' ? [] : [[{}, value(state)] as const]
  }
  registry.total(
    { name: 'audit_lines_total', help: 'Lines of the audit log that were written' },
    of(({ written }) => written),
  )
  registry.total(
    { name: 'audit_lines_lost_total', help: 'Lines of the audit log that could not be written nor kept' },
    of(({ lost }) => lost),
  )
  registry.asked(
    { name: 'audit_failing', help: '1 while the audit log cannot be written', across: 'max' },
    of(({ failing }) => (failing ? 1 : 0)),
  )
}
