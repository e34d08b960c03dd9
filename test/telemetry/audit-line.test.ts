import t from 'tap'
import type { RequestEvent } from '../../src/proxy/event.js'
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
