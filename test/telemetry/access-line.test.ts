import t from 'tap'
import { type RootLogger, createLogger } from '../../src/telemetry/logger.js'
import type { RequestEvent } from '../../src/proxy/event.js'
import { accessLog } from '../../src/telemetry/access-log.js'
import fc from 'fast-check'
import { objectKeyHash } from '../../src/telemetry/object-name.js'
import { served } from './event.js'

type Mode = 'clear' | 'hashed' | 'omitted'

/** Whatever a client, or an upstream that is not what it should be, may put into a text. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    'none',
    '',
    '__proto__',
    'constructor',
    'toJSON',
    '"',
    '\\',
    '\n',
    '\r\u2028\u2029',
    '\ud800',
    'a\u0000b',
  ),
  fc.constantFrom('x","level":"fatal","y":"', '"}\n{"level":"info","msg":"forged"}\n', 'dt=2026-01-01/x', '%3D'),
  fc.constantFrom('\nSignature=deadbeef01"x', 'a?X-Amz-Signature%3Ddeadbeef01', 'x-amz-security-token=deadbeef01&y'),
)
const number = fc.oneof(fc.nat(), fc.double())
const event: fc.Arbitrary<RequestEvent> = fc
  .record({
    ...{ requestId: hostile, listener: hostile, remoteAddress: hostile, identity: hostile, method: hostile },
    ...{ operation: hostile, bucket: hostile, objectKey: hostile, errorCode: hostile, reason: hostile },
    ...{ upstreamRequestId: hostile, keyring: hostile, keyVersion: hostile },
    ...{ status: number, attempts: number, bytesIn: number, bytesOut: number },
    ...{ keyMs: number, firstByteMs: number, totalMs: number },
    upstreamStatus: fc.oneof(fc.constant('none' as const), number),
    signature: fc.constantFrom('none', 'v4', 'v2-presigned'),
    outcome: fc.constantFrom('complete', 'client-gone', 'refused', 'upstream-failed', 'encryption-unproven'),
    trace: fc.constantFrom('none' as const, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }),
  })
  .map((fields) => ({ ...served, ...fields }))

/** The line as any other line of the log is made: fields by name, through pino and every redaction. */
function plainly(log: RootLogger, given: RequestEvent, mode: Mode): void {
  const present = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'none'))
  const ms = (value: number) => Math.round(value * 1000) / 1000
  const { requestId, listener, remoteAddress, identity, method, operation, bucket, status, outcome } = given
  const { attempts, bytesIn, bytesOut, objectKey } = given
  const level = outcome === 'refused' ? 'warn' : ['complete', 'client-gone'].includes(outcome) ? 'info' : 'error'
  const named = objectKey === 'none' ? 'omitted' : mode
  log[level](
    {
      ...{ requestId, listener, remoteAddress, identity },
      ...present({ signedWith: given.signature }),
      ...{ method, operation, bucket },
      ...(given.trace === 'none' ? {} : { traceId: given.trace.traceId }),
      ...(named === 'clear' ? { objectKey } : {}),
      ...(named === 'hashed' ? { objectKeyHash: objectKeyHash(bucket, objectKey) } : {}),
      ...{ status, outcome },
      ...present({ errorCode: given.errorCode, reason: given.reason }),
      ...present({ upstreamStatus: given.upstreamStatus, upstreamRequestId: given.upstreamRequestId }),
      attempts,
      ...present({ keyring: given.keyring, keyVersion: given.keyVersion }),
      ...{ bytesIn, bytesOut },
      ...{ keyMs: ms(given.keyMs), firstByteMs: ms(given.firstByteMs), totalMs: ms(given.totalMs) },
    },
    'request',
  )
}

t.test(
  'whatever is in an event, its line is one line of JSON, the one that pino and redaction would make',
  async (t) => {
    const lines: string[] = []
    const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })
    const modes: Mode[] = ['clear', 'hashed', 'omitted']
    const write = Object.fromEntries(modes.map((objectKeys) => [objectKeys, accessLog({ log, objectKeys })]))
    fc.assert(
      fc.property(event, fc.constantFrom(...modes), (given, mode) => {
        lines.length = 0
        write[mode]!(given)
        plainly(log, given, mode)
        const [line = '', plain = ''] = lines
        if (lines.length !== 2) throw new Error(`${lines.length} lines`)
        if (line.indexOf('\n') !== line.length - 1) throw new Error(`not one line: ${line}`)
        if (line.includes('deadbeef')) throw new Error(`not redacted: ${line}`)
        if (/\p{Surrogate}/u.test(line)) throw new Error('what is no character is not escaped')
        // Names, their order and values; the two were not written in the same millisecond, maybe.
        const timeless = (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), time: 'now' })
        if (timeless(line) !== timeless(plain)) throw new Error(`${line} is not ${plain}`)
      }),
      { numRuns: 500 },
    )
    t.pass()
  },
)

t.test('a level that is not shown makes no line, and the level can change', async (t) => {
  const lines: string[] = []
  const log = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } })
  const write = accessLog({ log, objectKeys: 'clear' })
  write(served)
  t.strictSame(lines, [])
  write({ ...served, outcome: 'refused' })
  log.setLevel('info')
  write(served)
  log.setLevel('silent')
  write({ ...served, outcome: 'upstream-failed' })
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as { level: string }).level),
    ['warn', 'info'],
  )
})
