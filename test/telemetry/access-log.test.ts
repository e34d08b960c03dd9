import t from 'tap'
import { accessLog } from '../../src/telemetry/access-log.js'
import { objectKeyHash } from '../../src/telemetry/object-name.js'
import type { RequestEvent } from '../../src/proxy/event.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { execFileSync } from 'node:child_process'
import { served } from './event.js'

function lineOf(event: RequestEvent, objectKeys: 'clear' | 'hashed' | 'omitted' = 'clear'): Record<string, unknown> {
  const lines: string[] = []
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } })
  accessLog({ log, objectKeys })(event)
  t.equal(lines.length, 1)
  return JSON.parse(lines[0] as string) as Record<string, unknown>
}

t.test('a line has what the event has', async (t) => {
  const { time, pid, ...line } = lineOf(served)
  t.ok(time && pid)
  t.strictSame(line, {
    level: 'info',
    requestId: '0123456789ABCDEF',
    listener: 'https 0.0.0.0:8443',
    remoteAddress: '192.0.2.7',
    identity: 'app',
    signedWith: 'v4',
    method: 'GET',
    operation: 'GetObject',
    bucket: 'photos',
    objectKey: 'a/b c.jpg',
    status: 200,
    outcome: 'complete',
    upstreamStatus: 200,
    upstreamRequestId: 'UP1',
    attempts: 1,
    keyring: 'main',
    keyVersion: 'v1',
    bytesIn: 0,
    bytesOut: 1000,
    keyMs: 0.25,
    firstByteMs: 12.346,
    totalMs: 40,
    msg: 'request',
  })
})

t.test('the level tells who has to look', async (t) => {
  const levels = {
    complete: 'info',
    'client-gone': 'info',
    refused: 'warn',
    'upstream-failed': 'error',
    'encryption-unproven': 'error',
  } as const
  for (const [outcome, level] of Object.entries(levels)) {
    t.equal(lineOf({ ...served, outcome: outcome as RequestEvent['outcome'] }).level, level, outcome)
  }
})

t.test('object keys in clear, hashed or left out', async (t) => {
  t.equal(lineOf(served, 'clear').objectKey, 'a/b c.jpg')
  for (const how of ['hashed', 'omitted'] as const) t.notMatch(JSON.stringify(lineOf(served, how)), 'b c.jpg', how)
  t.equal(lineOf(served, 'omitted').objectKeyHash, undefined)
  const hash = lineOf(served, 'hashed').objectKeyHash
  t.match(hash, /^[0-9a-f]{16}$/)
  const command = `printf '%s\\0%s' photos 'a/b c.jpg' | sha256sum`
  t.equal(hash, execFileSync('sh', ['-c', command], { encoding: 'utf8' }).slice(0, 16), 'as the documentation says')
  t.not(objectKeyHash('b', 'c'), objectKeyHash('bc', ''))
  t.not(objectKeyHash('photos', 'x'), objectKeyHash('videos', 'x'))
  t.notHas(lineOf({ ...served, objectKey: 'none' }, 'hashed'), { objectKeyHash: String })
})

t.test('an object key cannot forge a line', async (t) => {
  const objectKey = 'a\n{"level":"info","status":200,"msg":"request"}\r\u2028"'
  t.equal(lineOf({ ...served, objectKey }).objectKey, objectKey)
})
