import t from 'tap'
import { createLogger } from '../../src/telemetry/logger.js'
import type { RequestEvent } from '../../src/proxy/event.js'
import { accessLog } from '../../src/telemetry/access-log.js'
import fc from 'fast-check'
import { objectKeyHash } from '../../src/telemetry/object-name.js'
import { redact } from '../../src/telemetry/redact.js'
import { runs } from '../support/runs.js'
import { served } from './event.js'

const MODES = ['clear', 'hashed', 'omitted'] as const
type Mode = (typeof MODES)[number]

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
  // Two of which make one, where they are looked at together.
  fc.constantFrom('Signature', '=beef', '%', '3Dbeef', '\ud83d', '\ude00'),
)
/** What goes into a line as it stands. */
const plain = fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replaceAll(/["\\=%]/g, '/'))
/** So few that lines of one run have the same, and nearly the same. */
const few = fc.constantFrom('a', 'ab', 'none', 'ü')
const text = fc.oneof(hostile, plain, few)
const number = fc.oneof(fc.nat(), fc.double(), fc.constantFrom(0, -0, 1, 200, NaN, 1e21, Number.MAX_SAFE_INTEGER))
const event: fc.Arbitrary<RequestEvent> = fc
  .record(
    {
      ...{ requestId: text, listener: text, remoteAddress: text, identity: text, method: text },
      ...{ operation: text, bucket: text, objectKey: text, errorCode: text, reason: text },
      ...{ upstreamRequestId: text, keyring: text, keyVersion: text },
      ...{ status: number, attempts: number, bytesIn: number, bytesOut: number },
      ...{ keyMs: number, firstByteMs: number, totalMs: number },
      upstreamStatus: fc.oneof(fc.constant('none' as const), number),
      signature: fc.constantFrom('none', 'v4', 'v2-presigned'),
      outcome: fc.constantFrom('complete', 'client-gone', 'refused', 'upstream-failed', 'encryption-unproven'),
      trace: fc.oneof(
        fc.constant('none' as const),
        text.map((traceId) => ({ traceId, spanId: 'b'.repeat(16), sampled: true })),
      ),
    },
    // The rest is as it was in other lines.
    { requiredKeys: [] },
  )
  .map((fields) => ({ ...served, ...fields }))

const levelOf = ({ outcome }: RequestEvent) =>
  outcome === 'refused' ? 'warn' : ['complete', 'client-gone'].includes(outcome) ? 'info' : 'error'

function fieldsOf(given: RequestEvent, mode: Mode): Record<string, unknown> {
  const present = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'none'))
  const ms = (value: number) => Math.round(value * 1000) / 1000
  const { requestId, listener, remoteAddress, identity, method, operation, bucket, status, outcome } = given
  const { attempts, bytesIn, bytesOut, objectKey } = given
  const named = objectKey === 'none' ? 'omitted' : mode
  return {
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
  }
}

/** The line as JSON.stringify makes it of its fields; the time is the one that the line has. */
function stringified(line: string, given: RequestEvent, mode: Mode): string {
  const [, time] = /^\{"level":"[a-z]+","time":"([^"]+)"/.exec(line) ?? []
  const stamp = { level: levelOf(given), time, pid: process.pid }
  return `${JSON.stringify(redact({ ...stamp, ...fieldsOf(given, mode), msg: 'request' }))}\n`
}

/** The line as any other line of the log is made: fields by name, through pino and every redaction. */
function byPino(given: RequestEvent, mode: Mode): string {
  let line = ''
  const log = createLogger({ level: 'info', destination: { write: (text) => void (line = text) } })
  log[levelOf(given)](fieldsOf(given, mode), 'request')
  return line
}

/** Names, their order and values; two lines were not written in the same millisecond, maybe. */
const timeless = (line: string) => JSON.stringify({ ...(JSON.parse(line) as object), time: 'now' })

/** What writes lines of each mode, and the line that came last. */
function writers() {
  const lines: string[] = []
  const destination = {
    write: (line: string) => void lines.push(line),
    gather: (text: string, bytes: number) => {
      if (bytes !== Buffer.byteLength(text)) throw new Error(`${bytes} bytes: ${text}`)
      lines.push(`${text}\n`)
    },
  }
  const log = createLogger({ level: 'info', destination })
  const write = MODES.map((objectKeys) => [objectKeys, accessLog({ log, objectKeys })])
  const of = Object.fromEntries(write) as Record<Mode, ReturnType<typeof accessLog>>
  return (given: RequestEvent, mode: Mode): string => {
    lines.length = 0
    of[mode](given)
    if (lines.length !== 1) throw new Error(`${lines.length} lines`)
    return lines[0] as string
  }
}

t.test(
  'whatever is in an event, its line is one line of JSON, the one that JSON.stringify, or pino, and redaction would make',
  async (t) => {
    const lineOf = writers()
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), fc.constantFrom(...MODES), (events, mode) => {
        for (const given of events) {
          const line = lineOf(given, mode)
          const plain = stringified(line, given, mode)
          if (line !== plain) throw new Error(`${line} is not ${plain}`)
          const another = byPino(given, mode)
          if (timeless(line) !== timeless(another)) throw new Error(`${line} is not ${another}`)
          if (line.indexOf('\n') !== line.length - 1) throw new Error(`not one line: ${line}`)
          if (line.includes('deadbeef')) throw new Error(`not redacted: ${line}`)
          if (/\p{Surrogate}/u.test(line)) throw new Error('what is no character is not escaped')
        }
      }),
      { numRuns: runs(1000) },
    )
    t.pass()
  },
)

t.test('what of a line is kept for others is bounded, and of no other line', async (t) => {
  const lineOf = writers()
  for (let i = 0; i < 2500; i += 1) {
    const given = { ...served, remoteAddress: `192.0.2.${i % 1250}`, identity: `app${i % 7}`, keyVersion: `v${i}` }
    const line = lineOf(given, 'clear')
    if (line !== stringified(line, given, 'clear')) t.fail(line)
  }
  t.pass()
})

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
