import t from 'tap'
import { runs } from '../support/runs.js'
import { S3Error } from '../../src/s3/error.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { mayHoldSecret, redact } from '../../src/telemetry/redact.js'

function logger(level: 'debug' | 'info' | 'silent' = 'debug') {
  const raw: string[] = []
  const log = createLogger({ level, destination: { write: (line) => void raw.push(line) } })
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

t.test('one JSON line each, with level, ISO time, pid and message', async (t) => {
  const { log, raw, lines } = logger()
  log.info({ bucket: 'b' }, 'a message with %s and \n in it')
  t.match(lines(), [{ level: 'info', pid: process.pid, bucket: 'b', msg: 'a message with %s and \n in it' }])
  t.match(lines()[0]?.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.equal(raw[0]?.match(/\n/g)?.length, 1)
})

t.test('levels and children', async (t) => {
  const { log, lines } = logger('info')
  const child = log.child({ worker: 3, secretAccessKey: 'S3CR3T' })
  log.debug({}, 'not shown')
  child.warn({}, 'w')
  child.error({}, 'e')
  t.match(lines(), [
    { level: 'warn', worker: 3, secretAccessKey: '[redacted]' },
    { level: 'error', worker: 3 },
  ])
  const silent = logger('silent')
  silent.log.error({}, 'x')
  t.strictSame(silent.raw, [])
})

/** Whoever logs a whole request, credential or error must not have logged the secret in it. */
t.test('secrets by name, at any depth, in any case, in arrays, maps and children', async (t) => {
  const { log, raw } = logger()
  const secret = randomBytes(24).toString('hex')
  const names = ['Authorization', 'x-amz-security-token', 'secretAccessKey', 'session_token', 'signingKey', 'dataKey']
  const more = [
    'X-Amz-Server-Side-Encryption-Customer-Key',
    'x-amz-server-side-encryption-customer-key-md5',
    'masterKey',
  ]
  const copy = 'x-amz-copy-source-server-side-encryption-customer-key'
  for (const name of [...names, ...more, copy]) {
    const fields = { [name]: secret }
    log.info(fields, 'top')
    log.info({ a: { b: [fields, new Map([[name, secret]])] } }, 'deep')
    log.child(fields).child({ a: fields }).info({}, 'child')
    log.error({ err: Object.assign(new Error('x', { cause: fields }), fields) }, 'error')
  }
  t.notOk(raw.join('').includes(secret))
  t.equal(raw.length, 40)
})

t.test('secrets inside of texts', async (t) => {
  const { log, raw } = logger()
  const texts = [
    'GET /b/k?X-Amz-Signature=deadbeef01&x-id=1',
    'AWS4-HMAC-SHA256 Credential=AKID/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=deadbeef02',
    'Signature%3Ddeadbeef03',
    '/?X-Amz-Security-Token=deadbeef04',
  ]
  for (const text of texts) {
    log.info({ text, list: [text] }, text)
    log.error({ err: new Error(text, { cause: new Error(text) }) }, 'x')
  }
  t.notMatch(raw.join(''), 'deadbeef')
  t.match(raw.join(''), 'x-id=1')
})

t.test('bytes and key objects are not printed', async (t) => {
  const { log, raw } = logger()
  const bytes = randomBytes(32)
  log.info({ a: bytes, b: { c: new Uint8Array(bytes), d: bytes.buffer }, e: createSecretKey(bytes) }, 'x')
  log.info({ a: new SecretAccessKey('S3CR3T') }, 'x')
  const text = raw.join('')
  t.match(text, '[32 bytes]')
  t.notMatch(text, [...bytes.subarray(0, 8)].join(','))
  t.notMatch(text, 'S3CR3T')
})

t.test('an error is its type, code, message, stack and causes, nothing that hangs on it', async (t) => {
  const { log, raw, lines } = logger()
  const cause = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    request: { body: 'hanging on' },
  })
  const err = new S3Error('SignatureDoesNotMatch', { extra: { CanonicalRequest: 'hanging on' }, cause })
  log.error({ err }, 'failed')
  t.match(lines(), [
    {
      msg: 'failed',
      err: { type: 'S3Error', code: 'SignatureDoesNotMatch', message: err.message, cause: { code: 'ECONNREFUSED' } },
    },
  ])
  t.match(lines()[0], { err: { stack: /logger\.test\.ts/ } })
  t.notMatch(raw.join(''), 'hanging on')
})

t.test('what refers to itself, is deep or odd does not break the line', async (t) => {
  const { log, lines } = logger()
  const ring: Record<string, unknown> = { name: 'ring' }
  ring.self = ring
  const error = new Error('loop')
  error.cause = error
  log.info({ ring, error, nothing: null, missing: undefined, big: 1n, lone: '\ud800', date: new Date(0) }, 'x')
  t.match(lines(), [{ nothing: null, date: '1970-01-01T00:00:00.000Z', error: { message: 'loop' } }])
})

t.test('whatever is logged stays one line of JSON without the secret', async (t) => {
  const { log, raw } = logger()
  fc.assert(
    fc.property(
      fc.object({ maxDepth: 4, withDate: true, withBigInt: true, withMap: true }),
      fc.string(),
      (thing, message) => {
        raw.length = 0
        log.info({ thing, deep: [{ thing, password: 'S3CR3T' }] }, message)
        const [line = ''] = raw
        return (
          raw.length === 1 &&
          JSON.parse(line) !== null &&
          !line.includes('S3CR3T') &&
          line.indexOf('\n') === line.length - 1
        )
      },
    ),
  )
  t.pass()
})

t.test('what is not secret is passed as it is', async (t) => {
  const event = {
    requestId: 'A',
    keyring: 'main',
    keyVersion: 'v1',
    objectKey: 'a=b&c',
    keyMs: 1,
    list: [1, 'two', true],
  }
  t.strictSame(redact(event), event)
})

t.test('the first look at a text misses nothing that is taken out of it, in a line of JSON neither', async (t) => {
  const parts = /\b((?:X-Amz-)?Signature|X-Amz-Security-Token|AWSSecretAccessKey)(=|%3D)[^&\s,;"']+/gi
  const piece = fc.oneof(
    fc.constantFrom(
      'Signature',
      'x-amz-signature',
      'X-Amz-Security-Token',
      'awssecretaccesskey',
      '=',
      '%3D',
      '%3d',
      '%3',
    ),
    fc.constantFrom('\n', '"', '\\', '&', 'dt=2026/', 'abc', '\u0001', '\u017fignature=', '\u212a'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      (text) => {
        const plain = text.replace(parts, '$1$2[redacted]')
        if (redact(text) !== plain) throw new Error(`${JSON.stringify(text)}: ${String(redact(text))}, not ${plain}`)
        if (plain !== text && !mayHoldSecret(JSON.stringify(text))) throw new Error(`not seen: ${JSON.stringify(text)}`)
      },
    ),
    { numRuns: runs(5000) },
  )
  t.pass()
})
