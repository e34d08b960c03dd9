import t from 'tap'
import type { RequestEvent } from '../../src/proxy/event.js'
import fc from 'fast-check'
import { auditFaults } from '../support/audit-schema.js'
import { auditLine } from '../../src/telemetry/audit-line.js'
import { objectKeyHash } from '../../src/telemetry/object-name.js'
import { refusal, refusalEvent } from '../../src/server/refusal.js'
import { S3Error } from '../../src/s3/error.js'
import { served } from './event.js'

const NOW = new Date('2026-03-01T12:00:00.500Z')

function lineOf(event: RequestEvent, mode: 'clear' | 'hashed' | 'omitted' = 'clear') {
  const line = auditLine(event, mode, NOW)
  const faults = auditFaults(line)
  if (faults.length > 0) throw new Error(`${faults.join('; ')}: ${line}`)
  return JSON.parse(line) as Record<string, unknown>
}

t.test('who did what to which object with which key version', async (t) => {
  t.strictSame(lineOf({ ...served, versionId: 'V7' }), {
    type: 'audit',
    version: 1,
    time: '2026-03-01T12:00:00.460Z',
    durationMs: 40,
    requestId: '0123456789ABCDEF',
    listener: 'https 0.0.0.0:8443',
    clientAddress: '192.0.2.7',
    identity: 'app',
    accessKeyId: 'APPCLIENT',
    signature: 'v4',
    operation: 'GetObject',
    bucket: 'photos',
    objectKey: 'a/b c.jpg',
    versionId: 'V7',
    keySource: 'keyring',
    keyring: 'main',
    keyVersion: 'v1',
    decision: 'allow',
    outcome: 'complete',
    status: 200,
    upstreamStatus: 200,
    upstreamRequestId: 'UP1',
    bytesIn: 0,
    bytesOut: 1000,
  })
})

t.test('a refusal says which stage, and why; what is refused at the listener is there too', async (t) => {
  const reason = 'identity app has no grant of read'
  const refused = { ...served, outcome: 'refused', status: 403, errorCode: 'AccessDenied', stage: 'authorize' } as const
  t.match(lineOf({ ...refused, reason }), {
    decision: 'deny',
    deniedBy: 'authorize',
    errorCode: 'AccessDenied',
    reason,
  })
  const listener = { name: 'https :1', type: 'https', anonymous: 'none' } as const
  const event = refusalEvent(refusal(new S3Error('BadRequest'), '/'), { listener, remoteAddress: 'x', method: 'GET' })
  t.match(lineOf(event), { decision: 'deny', deniedBy: 'listener', operation: 'unknown', signature: 'none' })
  t.notHas(lineOf(event), { identity: String })
})

t.test('copies name their source, batch deletes every object', async (t) => {
  const copy: RequestEvent = {
    ...served,
    copySource: { bucket: 'old', objectKey: 'secret/plan', versionId: 'V1' },
    sourceKeyring: 'main',
    sourceKeyVersion: 'v0',
    deletes: [{ objectKey: 'a' }, { objectKey: 'b', versionId: 'V2' }],
  }
  t.match(lineOf(copy), {
    copySource: { bucket: 'old', objectKey: 'secret/plan', versionId: 'V1' },
    sourceKeyVersion: 'v0',
    objects: [{ objectKey: 'a' }, { objectKey: 'b', versionId: 'V2' }],
  })
  for (const mode of ['hashed', 'omitted'] as const)
    t.notMatch(JSON.stringify(lineOf(copy, mode)), /secret|"a"|b c/, mode)
  t.match(lineOf(copy, 'hashed'), {
    objectKeyHash: objectKeyHash('photos', 'a/b c.jpg'),
    copySource: { objectKeyHash: objectKeyHash('old', 'secret/plan') },
    objects: [{ objectKeyHash: objectKeyHash('photos', 'a') }, { versionId: 'V2' }],
  })
})

t.test('keys of clients and plain objects', async (t) => {
  t.notHas(lineOf({ ...served, keySource: 'client', keyring: 'none', keyVersion: 'none' }), { keyVersion: String })
  t.match(lineOf({ ...served, keySource: 'plain', keyring: 'none', keyVersion: 'plain' }), { keySource: 'plain' })
  t.notHas(lineOf({ ...served, keySource: 'none', keyring: 'none', keyVersion: 'plain' }), { keySource: String })
})

t.test('nothing that a client sends breaks a line', async (t) => {
  const odd = 'a\n{"type":"audit"}\r\u2028\u0000"\\'
  const line = lineOf({ ...served, objectKey: odd, accessKeyId: odd, reason: odd, totalMs: NaN })
  t.equal(line['objectKey'], odd)
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('none', '', '__proto__', 'toJSON', '"', '\\', '\ud800', '"}\n{"type":"audit"}\n', '\u2028'),
)
const object = fc.record({ objectKey: hostile, versionId: hostile }, { requiredKeys: ['objectKey'] })
const source = fc.record(
  { bucket: hostile, objectKey: hostile, versionId: hostile },
  { requiredKeys: ['bucket', 'objectKey'] },
)
const number = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e6, noNaN: true }))
const event: fc.Arbitrary<RequestEvent> = fc
  .record({
    ...{ requestId: hostile, listener: hostile, remoteAddress: hostile, identity: hostile, accessKeyId: hostile },
    ...{ operation: hostile, bucket: hostile, objectKey: hostile, versionId: hostile, errorCode: hostile },
    ...{ reason: hostile, upstreamRequestId: hostile, keyring: hostile, keyVersion: hostile },
    ...{ sourceKeyring: hostile, sourceKeyVersion: hostile },
    ...{ status: number, bytesIn: number, bytesOut: number, totalMs: number },
    upstreamStatus: fc.oneof(fc.constant('none' as const), number),
    keySource: fc.constantFrom('keyring', 'client', 'plain', 'none'),
    outcome: fc.constantFrom('complete', 'refused', 'client-gone'),
    copySource: fc.oneof(fc.constant('none' as const), source),
    deletes: fc.array(object, { maxLength: 3 }),
  })
  .map((fields) => ({ ...served, ...fields }))

/** What a line has of an event, name by name. */
function plainly(given: RequestEvent, mode: 'clear' | 'hashed' | 'omitted') {
  const present = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 'none' && value !== undefined))
  const nameOf = (bucket: string, objectKey: string) => {
    if (mode === 'omitted' || objectKey === 'none') return {}
    return mode === 'clear' ? { objectKey } : { objectKeyHash: objectKeyHash(bucket, objectKey) }
  }
  const objectOf = (bucket: string, named: { readonly objectKey: string; readonly versionId?: string }) => ({
    ...nameOf(bucket, named.objectKey),
    ...('versionId' in named ? { versionId: named.versionId } : {}),
  })
  const { requestId, listener, remoteAddress, identity, accessKeyId, signature, operation, bucket } = given
  const { copySource, deletes, keySource, keyring, keyVersion, sourceKeyring, sourceKeyVersion, stage } = given
  const { outcome, status, errorCode, reason, upstreamStatus, upstreamRequestId, bytesIn, bytesOut } = given
  const time = new Date(NOW.getTime() - given.totalMs).toISOString()
  const durationMs = Math.round(NOW.getTime() - (NOW.getTime() - given.totalMs))
  return {
    ...{ type: 'audit', version: 1, time, durationMs, requestId, listener, clientAddress: remoteAddress },
    ...present({ identity, accessKeyId }),
    ...{ signature, operation },
    ...present({ bucket, ...nameOf(bucket, given.objectKey), versionId: given.versionId }),
    ...(copySource === 'none'
      ? {}
      : { copySource: { bucket: copySource.bucket, ...objectOf(copySource.bucket, copySource) } }),
    ...(deletes.length === 0 ? {} : { objects: deletes.map((named) => objectOf(bucket, named)) }),
    ...present({ keySource }),
    ...(keySource === 'keyring' ? { keyring, keyVersion } : {}),
    ...present({ sourceKeyring, sourceKeyVersion }),
    ...(outcome === 'refused' ? { decision: 'deny', deniedBy: stage } : { decision: 'allow' }),
    ...{ outcome, status },
    ...present({ errorCode, reason, upstreamStatus, upstreamRequestId }),
    ...{ bytesIn, bytesOut },
  }
}

t.test(
  'whatever is in an event, its line is one line with exactly that, in the order of the documentation',
  async (t) => {
    fc.assert(
      fc.property(event, fc.constantFrom('clear', 'hashed', 'omitted'), (given, mode) => {
        const line = auditLine(given, mode, NOW)
        const plain = `${JSON.stringify(plainly(given, mode))}\n`
        if (line !== plain || line.indexOf('\n') !== line.length - 1) throw new Error(`${line} is not ${plain}`)
      }),
      { numRuns: 1000 },
    )
    t.pass()
  },
)
