import t from 'tap'
import { noFaults } from '../../src/origin/faults.js'
import type { ObjectVersion, State } from '../../src/origin/model.js'
import { checkCopyConditions, checkReadConditions, checkWriteConditions } from '../../src/origin/preconditions.js'
import { Refusal } from '../../src/origin/refusal.js'

const version: ObjectVersion = {
  type: 'object',
  versionId: 'null',
  lastModified: new Date('2026-11-23T12:00:00.900Z'),
  pieces: [],
  size: 0,
  protection: { type: 'plain' },
  etag: 'aaa',
  headers: { 'cache-control': 'max-age=1' },
  storageClass: 'STANDARD',
  checksum: { type: 'none' },
  parts: [],
  tags: [],
  lock: { mode: 'none', until: new Date(0), hold: 'none' },
  restoredUntil: new Date(0),
}
const state: State = {
  buckets: new Map(),
  credentials: new Map(),
  region: 'us-east-1',
  baseDomains: [],
  minimumPartSize: 5,
  blockedOnNewBuckets: [],
  faults: noFaults(),
  now: () => new Date(),
}
const SAME_SECOND = 'Mon, 23 Nov 2026 12:00:00 GMT'
const BEFORE = 'Mon, 23 Nov 2026 11:59:59 GMT'

function outcome(check: typeof checkReadConditions, headers: Record<string, string>): string {
  try {
    check(new Map(Object.entries(headers)), version, state)
    return 'proceeds'
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error)
  }
}

t.test('reads', async (t) => {
  const rows: [Record<string, string>, string][] = [
    [{}, 'proceeds'],
    [{ 'if-match': '"aaa"' }, 'proceeds'],
    [{ 'if-match': 'aaa' }, 'proceeds'],
    [{ 'if-match': '"x", "aaa"' }, 'proceeds'],
    [{ 'if-match': '*' }, 'proceeds'],
    [{ 'if-match': '"x"' }, 'PreconditionFailed'],
    [{ 'if-none-match': 'W/"aaa"' }, 'NotModified'],
    [{ 'if-none-match': '*' }, 'NotModified'],
    [{ 'if-none-match': '"x"' }, 'proceeds'],
    [{ 'if-modified-since': SAME_SECOND }, 'NotModified'],
    [{ 'if-modified-since': BEFORE }, 'proceeds'],
    [{ 'if-modified-since': 'nonsense' }, 'proceeds'],
    [{ 'if-unmodified-since': SAME_SECOND }, 'proceeds'],
    [{ 'if-unmodified-since': BEFORE }, 'PreconditionFailed'],
    // ETags decide before dates (RFC 9110, 13.2.2)
    [{ 'if-match': '"aaa"', 'if-unmodified-since': BEFORE }, 'proceeds'],
    [{ 'if-none-match': '"x"', 'if-modified-since': SAME_SECOND }, 'proceeds'],
    [{ 'if-match': '"x"', 'if-none-match': '"aaa"' }, 'PreconditionFailed'],
  ]
  for (const [headers, expected] of rows) {
    t.equal(outcome(checkReadConditions, headers), expected, JSON.stringify(headers))
  }
})

t.test('a copy’s source is never "not modified"', async (t) => {
  t.equal(outcome(checkCopyConditions, { 'x-amz-copy-source-if-none-match': '"aaa"' }), 'PreconditionFailed')
  t.equal(outcome(checkCopyConditions, { 'x-amz-copy-source-if-modified-since': SAME_SECOND }), 'PreconditionFailed')
  t.equal(outcome(checkCopyConditions, { 'if-none-match': '"aaa"' }), 'proceeds', 'other headers are not its own')
})

t.test('writes', async (t) => {
  const write = (headers: Record<string, string>, current: ObjectVersion | 'none'): string =>
    outcome((fields) => checkWriteConditions(fields, current, state), headers)
  t.equal(write({ 'if-none-match': '*' }, 'none'), 'proceeds')
  t.equal(write({ 'if-none-match': '*' }, version), 'PreconditionFailed')
  t.equal(write({ 'if-none-match': '"aaa"' }, version), 'NotImplemented')
  t.equal(write({ 'if-match': '"aaa"' }, version), 'proceeds')
  t.equal(write({ 'if-match': '"x"' }, version), 'PreconditionFailed')
  t.equal(write({ 'if-match': '"x"' }, 'none'), 'NoSuchKey')
})
