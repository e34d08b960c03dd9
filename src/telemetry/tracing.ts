import type { Config } from '../config/types.js'
import type { Logger } from './logger.js'
import type { ObjectKeyMode } from './object-name.js'
import type { RequestEvent } from '../proxy/event.js'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import { readFileSync } from 'node:fs'

export interface Tracing {
  /** Makes the spans of a request that is over; gives the event with the trace that it became part of. */
  readonly observe: (event: RequestEvent, objectKeys: ObjectKeyMode) => RequestEvent
  /** Sends what waits, for some seconds. */
  readonly close: () => Promise<void>
}

const EXPORT_MS = 3_000

/**
 * OpenTelemetry traces, sent in batches by OTLP over http. A request is traced when it is over, from what its one event
 * says: nothing is done for it while it runs. The packages are loaded here, so that they cost nothing where tracing is off.
 */
export async function openTracing(
  config: Exclude<Config['tracing'], { readonly type: 'off' }>,
  world: { readonly version: string; readonly now: () => Date; readonly log: Logger },
): Promise<Tracing> {
  const [api, sdk, otlp, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const exporter = new otlp.OTLPTraceExporter({
    url: config.endpoint,
    timeoutMillis: EXPORT_MS,
    ...(config.ca.type === 'file' ? { httpAgentOptions: { ca: readFileSync(config.ca.file) } } : {}),
  })
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': config.serviceName,
      'service.version': world.version,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(config.sampleRatio) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({ exporter: telling(exporter, world.log), exportTimeoutMillis: EXPORT_MS }),
    ],
  })
  const tracer = provider.getTracer('ssec-proxy', world.version)

  const observe = (event: RequestEvent, objectKeys: ObjectKeyMode): RequestEvent => {
    const end = world.now().getTime()
    const start = end - event.totalMs
    const { trace } = event
    const caller =
      trace === 'none'
        ? api.ROOT_CONTEXT
        : api.trace.setSpanContext(api.ROOT_CONTEXT, {
            traceId: trace.traceId,
            spanId: trace.spanId,
            traceFlags: trace.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
            isRemote: true,
          })
    const options = {
      kind: api.SpanKind.SERVER,
      startTime: new Date(start),
      attributes: attributesOf(event, objectKeys),
    }
    const span = tracer.startSpan(event.operation, options, caller)
    const { traceId, spanId } = span.spanContext()
    if (!span.isRecording()) return event
    const below = api.trace.setSpan(caller, span)
    const part = (name: string, from: number, to: number, attributes = {}, kind = api.SpanKind.INTERNAL) => {
      const child = tracer.startSpan(name, { kind, startTime: new Date(start + from), attributes }, below)
      if (kind === api.SpanKind.CLIENT && event.failure !== 'none') {
        child.setStatus({ code: api.SpanStatusCode.ERROR, message: event.failure })
      }
      child.end(new Date(start + to))
    }
    if (event.authMs > 0) part('authenticate', 0, event.authMs)
    if (event.keyMs > 0 && event.keyring !== 'none') {
      part('customer keys', Math.max(event.authMs, event.keyMs - event.keyWaitMs), event.keyMs)
    }
    if (event.attempts > 0) {
      const answered = event.upstreamStatus !== 'none'
      const from = answered ? event.firstByteMs - event.upstreamMs : event.keyMs
      const about = {
        ...given('http.response.status_code', event.upstreamStatus),
        ...given('aws.request_id', event.upstreamRequestId),
        'ssec_proxy.attempts': event.attempts,
      }
      part('upstream', from, answered ? event.firstByteMs : event.totalMs, about, api.SpanKind.CLIENT)
    }
    if (event.outcome !== 'complete' && event.outcome !== 'client-gone') {
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: event.errorCode })
    }
    span.end(new Date(end))
    return { ...event, trace: { traceId, spanId, sampled: true } }
  }
  // A collector that is away at the end has been told of already.
  return { observe, close: () => provider.shutdown().catch(() => undefined) }
}

function attributesOf(event: RequestEvent, objectKeys: ObjectKeyMode) {
  return {
    'http.request.method': event.method,
    'http.response.status_code': event.status,
    'client.address': event.remoteAddress,
    'rpc.system': 'aws-api',
    'rpc.service': 'S3',
    'rpc.method': event.operation,
    'ssec_proxy.request_id': event.requestId,
    'ssec_proxy.outcome': event.outcome,
    ...given('ssec_proxy.identity', event.identity),
    ...given('aws.s3.bucket', event.bucket),
    ...(objectKeys === 'clear' ? given('aws.s3.key', event.objectKey) : {}),
    ...given('ssec_proxy.keyring', event.keyring),
    ...given('ssec_proxy.key_version', event.keyVersion),
    ...given('ssec_proxy.error_code', event.errorCode),
    'http.request.body.size': event.bytesIn,
    'http.response.body.size': event.bytesOut,
  }
}

const given = (name: string, value: string | number): Readonly<Record<string, string | number>> =>
  value === 'none' ? {} : { [name]: value }

/** The same exporter; that it fails, and that it does no more, is told once each. */
function telling(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false
  return {
    export: (spans, over) =>
      exporter.export(spans, (result) => {
        const code: number = result.code
        const failed = code !== 0
        if (failed && !failing) log.warn({ reason: result.error?.message ?? 'unknown' }, 'traces cannot be sent')
        if (!failed && failing) log.info({}, 'traces are sent again')
        failing = failed
        over(result)
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}
