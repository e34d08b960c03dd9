import t, { type Test } from 'tap'
import { type AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createLogger } from '../../src/telemetry/logger.js'
import { join } from 'node:path'
import { once } from 'node:events'
import { openTracing } from '../../src/telemetry/tracing.js'
import { served } from './event.js'
import { testCertificates } from '../support/certificates.js'
import { writeFileSync } from 'node:fs'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

const NOW = new Date('2026-03-01T12:00:00.000Z')
const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true }

/** A collector: takes OTLP over http as JSON, and keeps what it got. */
async function collector(t: Test, answers: { status: number }, tls: 'tls' | 'plain' = 'plain') {
  const spans: Span[] = []
  const asked: string[] = []
  const { leaf } = testCertificates()
  const server = tls === 'tls' ? createTlsServer({ cert: leaf.cert, key: leaf.key }) : createServer()
  server.on('request', (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
      const { resourceSpans } = JSON.parse(text)
      if (answers.status === 200) {
        for (const { scopeSpans } of resourceSpans) for (const one of scopeSpans) spans.push(...(one.spans as Span[]))
      }
      response.writeHead(answers.status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const scheme = tls === 'tls' ? 'https' : 'http'
  return { spans, asked, endpoint: `${scheme}://localhost:${(server.address() as AddressInfo).port}/v1/traces` }
}

async function tracing(endpoint: string, given: { readonly sampleRatio?: number; readonly ca?: string } = {}) {
  const lines: string[] = []
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const opened = await openTracing(
    {
      type: 'on',
      endpoint,
      ca: given.ca === undefined ? { type: 'system' } : { type: 'file', file: given.ca },
      serviceName: 'storage',
      sampleRatio: given.sampleRatio ?? 1,
    },
    { version: '1.2.3', now: () => NOW, log },
  )
  return { ...opened, lines }
}

const attribute = (span: Span | undefined, key: string) =>
  Object.values(span?.attributes.find((one) => one.key === key)?.value ?? {})[0]
const at = (nanos: string) => Number(BigInt(nanos) / 1_000_000n) - NOW.getTime()

t.test("a request becomes spans of its caller's trace, with the times of its event", async (t) => {
  const { endpoint, spans, asked } = await collector(t, { status: 200 })
  const { observe, close } = await tracing(endpoint)
  const event = observe({ ...served, trace: CALLER, keyMs: 2, keyWaitMs: 1, firstByteMs: 30, upstreamMs: 20 }, 'clear')
  await close()
  t.match(asked, ['POST /v1/traces application/json'])
  const named = (name: string) => spans.find((span) => span.name === name)
  const request = named('GetObject')
  t.match(request, { traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2 })
  t.match(event.trace, { traceId: CALLER.traceId, spanId: request?.spanId }, 'what the log says')
  t.strictSame([at(request!.startTimeUnixNano), at(request!.endTimeUnixNano)], [-40, 0])
  t.equal(attribute(request, 'aws.s3.bucket'), 'photos')
  t.equal(attribute(request, 'aws.s3.key'), 'a/b c.jpg')
  t.equal(attribute(request, 'ssec_proxy.key_version'), 'v1')
  const upstream = named('upstream')
  t.match(upstream, { traceId: CALLER.traceId, parentSpanId: request?.spanId, kind: 3 })
  t.strictSame([at(upstream!.startTimeUnixNano), at(upstream!.endTimeUnixNano)], [-30, -10])
  t.equal(attribute(upstream, 'aws.request_id'), 'UP1')
  t.ok(named('authenticate') && named('customer keys'))
})

t.test('failures are errors; object keys stay out where the log leaves them out', async (t) => {
  const { endpoint, spans } = await collector(t, { status: 200 })
  const { observe, close } = await tracing(endpoint)
  const failed = { ...served, outcome: 'upstream-failed', failure: 'timeout', errorCode: 'ServiceUnavailable' } as const
  observe({ ...failed, upstreamStatus: 'none', firstByteMs: 0, upstreamMs: 0 }, 'hashed')
  observe({ ...served, outcome: 'refused', errorCode: 'AccessDenied', attempts: 0, upstreamStatus: 'none' }, 'omitted')
  await close()
  t.match(
    spans.filter(({ name }) => name === 'GetObject').map(({ status }) => status),
    [
      { code: 2, message: 'ServiceUnavailable' },
      { code: 2, message: 'AccessDenied' },
    ],
  )
  t.match(
    spans.filter(({ name }) => name === 'upstream').map(({ status }) => status),
    [{ code: 2, message: 'timeout' }],
  )
  t.notMatch(JSON.stringify(spans), 'b c.jpg')
})

t.test('who is traced: as the caller decided, or by chance', async (t) => {
  const { endpoint, spans } = await collector(t, { status: 200 })
  const { observe, close } = await tracing(endpoint, { sampleRatio: 0 })
  const unsampled = { ...served, trace: { ...CALLER, sampled: false } }
  t.strictSame(observe(served, 'clear'), served)
  t.strictSame(observe(unsampled, 'clear'), unsampled, 'its trace id is in the log all the same')
  observe({ ...served, trace: CALLER }, 'clear')
  await close()
  t.ok(spans.length > 0 && spans.every(({ traceId }) => traceId === CALLER.traceId))
})

t.test('a collector that is away costs nothing but the spans, and is told once', async (t) => {
  const answers = { status: 400 }
  const { endpoint } = await collector(t, answers)
  const { observe, close, lines } = await tracing(endpoint)
  observe(served, 'clear')
  await close()
  t.equal(lines.filter((line) => line.includes('traces cannot be sent')).length, 1)
})

t.test('a collector with a CA of its own', async (t) => {
  const { endpoint, spans } = await collector(t, { status: 200 }, 'tls')
  const ca = join(t.testdir(), 'ca.pem')
  writeFileSync(ca, testCertificates().authority.cert)
  const { observe, close } = await tracing(endpoint, { ca })
  observe(served, 'clear')
  await close()
  t.ok(spans.length > 0)
})
