// Keyrings in KMS against one that answers, hesitates, throttles, denies and is away for an hour, in no time at all.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { KeyringConfig } from '../../src/config/types.js'
import { openKeyrings, createKeyrings } from '../../src/keyring/create.js'
import { derivationInfo, derivationKey, deriveDataKey } from '../../src/keyring/derive.js'
import type { Keyring } from '../../src/keyring/port.js'
import { encryptionContext, wrapKey } from '../../src/keyring/wrap-key.js'
import {
  AWAY,
  DENIED,
  fakeKms,
  KMS,
  macKeyOf,
  THROTTLED,
  writtenMac,
  writtenWrapped,
  type FakeKms,
} from './fake-kms.js'
import { bytesOf, hex, keyOf, scopeOf, written, writtenVersion, type MacVectors } from './material.js'

const HOUR = 3_600_000
/** Computed by Python's hmac; test/e2e/kms-commands.test.ts asks a server that has this key. */
const GOLDEN = JSON.parse(
  readFileSync(new URL('../vectors/keys/kms-mac-v1.json', import.meta.url), 'utf8'),
) as MacVectors
const clock = () => new Date('2026-11-25T00:00:00Z')
const WRAPPED = written('derived', {
  versions: [
    writtenVersion('v0', 'readable', '2025-01-01T00:00:00Z'),
    writtenWrapped('main', 'v1', 'readable'),
    writtenWrapped('main', 'v2', 'active'),
  ],
})
const MAC = written('kms-mac', {
  versions: [writtenMac('mac-old', 'm1', 'readable'), writtenMac('alias/mac', 'm2', 'active')],
})

type Type = 'derived' | 'fixed' | 'kms-mac'
const configOf = (type: Type, name = 'main', more: Partial<typeof KMS> = {}): KeyringConfig => ({
  name,
  type,
  file: 'k.json',
  kms: { ...KMS, ...more },
})
const text = (value: unknown) => () => ({ type: 'text' as const, text: JSON.stringify(value), mode: 0o600 })
const openAll = (value: unknown, config: KeyringConfig, kms: FakeKms) => openKeyrings([config], text(value), clock, kms)

async function opened(value: unknown, config: KeyringConfig, kms: FakeKms): Promise<Keyring> {
  const result = await openAll(value, config, kms)
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  kms.calls.length = 0
  kms.events.length = 0
  return result.opened[0]!.keyring
}
const problems = async (value: unknown, config: KeyringConfig, kms: FakeKms) => {
  const result = await openAll(value, config, kms)
  return result.type === 'problems' ? result.problems.map(({ path, message }) => `${path} ${message}`) : []
}

const scope = scopeOf('photos', 'cat.jpg')
const derived = (label: string, objectKey = 'cat.jpg') =>
  hex(deriveDataKey(derivationKey(keyOf(label)), 'photos', objectKey))
const keyFor = async (ring: Keyring, objectKey = 'cat.jpg') =>
  hex((await ring.forWrite(scopeOf('photos', objectKey))).key)
const code = async (ring: Keyring, objectKey = 'cat.jpg') => {
  try {
    await ring.forWrite(scopeOf('photos', objectKey))
    return 'ok'
  } catch (error) {
    return (error as { code: string }).code
  }
}
const lookUps = (kms: FakeKms) => kms.events.flatMap((event) => (event.type === 'look-up' ? [event.result] : []))
/** Lets refreshes in the background end. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('the encryption context is frozen', async (t) => {
  t.equal(
    JSON.stringify(encryptionContext('main', '2026-11-23-def9f2')),
    '{"ssec-proxy:keyring":"main","ssec-proxy:key-version":"2026-11-23-def9f2"}',
  )
})

t.test('a file with plain and wrapped versions gives the keys of the derivation', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  t.ok((await keyFor(ring)) === derived('v2'))
  for (const id of ['v0', 'v1', 'v2']) {
    const key = await ring.forVersion(scope, id)
    t.ok(key !== 'unknown' && hex(key.key) === derived(id), id)
  }
  t.equal(await ring.forVersion(scope, 'v3'), 'unknown')
  t.strictSame(kms.calls, [], 'all were opened at the start')
  const fixed = written('fixed', { versions: [writtenWrapped('main', 'v1', 'active')] })
  t.ok((await keyFor(await opened(fixed, configOf('fixed'), kms))) === bytesOf('v1').toString('hex'))
})

t.test('what wrapKey makes opens under this keyring and id', async (t) => {
  const kms = fakeKms()
  const result = await wrapKey(kms.kms, { keyring: 'main', keyVersion: 'v1', kmsKeyId: 'alias/one', key: keyOf('v1') })
  if (result.type !== 'wrapped') throw new Error(result.reason)
  const version = { ...writtenWrapped('main', 'v1', 'active'), wrappedKey: result.wrappedKey.toString('base64') }
  const ring = await opened(written('derived', { versions: [version] }), configOf('derived'), kms)
  t.ok((await keyFor(ring)) === derived('v1'))
})

t.test('an entry that was moved, renamed, swapped or edited does not open', async (t) => {
  const one = writtenWrapped('main', 'v1', 'active')
  const two = writtenWrapped('main', 'v2', 'active')
  const of = (version: object, name = 'main') => written('derived', { versions: [version] }, name)
  for (const [what, file, name, expected] of [
    ['the file under another name', of(one, 'other'), 'other', /wrappedKey is denied .* InvalidCiphertext/],
    ['another id', of({ ...one, id: 'v2' }), 'main', /wrappedKey is denied .* InvalidCiphertext/],
    ["another version's bytes", of({ ...one, wrappedKey: two.wrappedKey }), 'main', /wrappedKey is denied/],
    ["another version's check value", of({ ...one, check: two.check }), 'main', /check value does not belong/],
    ['another KMS key', of({ ...one, kmsKeyId: 'alias/two' }), 'main', /key alias\/two: InvalidCiphertext/],
    ['bytes cut off', of({ ...one, wrappedKey: one.wrappedKey.slice(0, 40) }), 'main', /wrappedKey is denied/],
  ] as const) {
    const kms = fakeKms()
    const found = await problems(file, configOf('derived', name), kms)
    t.equal(found.length, 1, what)
    t.match(found[0], expected, what)
    t.equal(kms.calls.length, 1, `${what}: a denial is not asked twice`)
  }
})

t.test('all that does not open is told at once', async (t) => {
  const versions = [writtenWrapped('x', 'v1', 'readable'), writtenWrapped('x', 'v2', 'active')]
  const found = await problems(written('derived', { versions }), configOf('derived'), fakeKms())
  t.strictSame(
    found.map((line) => line.slice(0, 31)),
    ['k.json: versions[0].wrappedKey ', 'k.json: versions[1].wrappedKey '],
  )
})

t.test(
  'KMS that is away at the start is asked again for a time, then the start fails and says what to do',
  async (t) => {
    const kms = fakeKms()
    kms.fault = AWAY
    const started = kms.monotonic()
    const [problem, ...others] = await problems(
      written('derived', { versions: [writtenWrapped('main', 'v1', 'active')] }),
      configOf('derived'),
      kms,
    )
    t.equal(others.length, 0)
    t.match(problem, /could not be asked of KMS with key alias\/one: ECONNREFUSED .*kms\.endpoint/)
    const waited = kms.monotonic() - started
    t.ok(waited > 50_000 && waited <= 60_000, 'as long as startTimeout says')
    t.ok(kms.calls.length > 5 && kms.calls.length < 30)
  },
)

t.test('KMS that comes back during the start is no problem', async (t) => {
  const kms = fakeKms()
  kms.fault = THROTTLED
  const sleep = kms.sleep
  const late = {
    ...kms,
    sleep: (ms: number) => {
      if (kms.calls.length > 4) kms.fault = 'none'
      return sleep(ms)
    },
  }
  const file = written('derived', { versions: [writtenWrapped('main', 'v1', 'active')] })
  t.equal((await openKeyrings([configOf('derived')], text(file), clock, late)).type, 'keyrings')
})

t.test('without `kms` in the configuration such files do not load, and looking at them asks nobody', async (t) => {
  const kms = fakeKms()
  const config: KeyringConfig = { name: 'main', type: 'derived', file: 'k.json', kms: 'none' }
  t.match(await openKeyrings([config], text(WRAPPED), clock, kms), {
    problems: [{ path: 'k.json', message: /no `kms` in the configuration/ }],
  })
  t.equal(createKeyrings([configOf('derived')], text(WRAPPED), clock, kms).type, 'keyrings')
  t.equal(createKeyrings([configOf('kms-mac')], text(MAC), clock, kms).type, 'keyrings')
  t.strictSame(kms.calls, [])
})

t.test('a thousand requests make one call', async (t) => {
  for (const [type, file] of [
    ['derived', WRAPPED],
    ['kms-mac', MAC],
  ] as const) {
    const kms = fakeKms()
    const ring = await opened(file, configOf(type), kms)
    kms.pass(2 * HOUR)
    const keys = await Promise.all(Array.from({ length: 1000 }, () => keyFor(ring)))
    t.equal(kms.calls.length, 1, type)
    t.equal(new Set(keys).size, 1, type)
  }
})

t.test('a key that is used is refreshed ahead of its end, and nobody waits', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  kms.pass(0.6 * HOUR)
  await keyFor(ring)
  t.strictSame(kms.calls, [])
  kms.pass(0.35 * HOUR)
  let release = (): void => undefined
  kms.hold.now = new Promise((resolve) => (release = resolve))
  t.notOk(ring.forWrite(scope) instanceof Promise, 'at once')
  t.notOk(ring.forWrite(scope) instanceof Promise)
  t.strictSame(kms.calls, ['Decrypt alias/one'])
  release()
  await settle()
  kms.pass(0.6 * HOUR)
  t.notOk(ring.forWrite(scope) instanceof Promise, 'beyond the end of the first')
  t.equal(kms.calls.length, 1)
})

t.test('KMS away for an hour: what is held goes on, and is asked for no more often than it should', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived', 'main', { staleMs: HOUR }), kms)
  kms.fault = AWAY
  kms.pass(HOUR)
  for (let second = 0; second < 3590; second++) {
    if ((await code(ring)) !== 'ok') t.fail(`refused after ${second} s`)
    kms.pass(1000)
  }
  t.ok(kms.calls.length > 60 && kms.calls.length < 300, `${kms.calls.length} calls in an hour`)
  t.ok(lookUps(kms).includes('stale'))
  kms.pass(20_000)
  t.equal(await code(ring), 'ServiceUnavailable', 'the end of stale')
  kms.fault = 'none'
  kms.pass(60_000)
  t.equal(await code(ring), 'ok', 'KMS is back')
})

t.test('an hour of absence for kms-mac: what is remembered goes on, what is not is refused at once', async (t) => {
  const kms = fakeKms()
  const ring = await opened(MAC, configOf('kms-mac', 'main', { staleMs: HOUR }), kms)
  const before = await keyFor(ring, 'warm')
  kms.fault = AWAY
  kms.pass(HOUR)
  kms.calls.length = 0
  for (let second = 0; second < 3590; second += 5) {
    if ((await keyFor(ring, 'warm')) !== before) t.fail(`another key after ${second} s`)
    if ((await code(ring, `cold ${second}`)) !== 'ServiceUnavailable') t.fail(`a key out of nothing after ${second} s`)
    kms.pass(5000)
  }
  t.ok(kms.calls.length < 300, `${kms.calls.length} calls in an hour`)
  kms.fault = 'none'
  kms.pass(60_000)
  t.ok((await keyFor(ring, 'warm')) === before, 'KMS is back')
  t.equal(await code(ring, 'cold 0'), 'ok')
})

t.test('the edges of ttl and stale', async (t) => {
  for (const [type, file] of [
    ['derived', WRAPPED],
    ['kms-mac', MAC],
  ] as const) {
    const kms = fakeKms()
    const ring = await opened(file, configOf(type, 'main', { ttlMs: 10_000, staleMs: 20_000 }), kms)
    const put = async () => {
      kms.fault = 'none'
      kms.pass(120_000)
      await keyFor(ring)
      kms.fault = AWAY
      kms.events.length = 0
    }
    await put()
    kms.pass(6999)
    kms.calls.length = 0
    t.notOk(ring.forWrite(scope) instanceof Promise, `${type}: before the refresh nobody is asked`)
    t.strictSame(kms.calls, [])
    kms.pass(3000)
    t.notOk(ring.forWrite(scope) instanceof Promise, `${type}: the last millisecond of ttl`)
    await settle()
    kms.pass(1)
    t.equal(await code(ring), 'ok')
    t.ok(lookUps(kms).includes('stale'), `${type}: from ttl on it is stale`)
    await put()
    // The attempts take their time, and what has gone by then is not used.
    kms.pass(29_700)
    t.equal(await code(ring), 'ok', `${type}: the end of stale`)
    await put()
    kms.pass(30_000)
    t.equal(await code(ring), 'ServiceUnavailable', `${type}: gone`)
  }
})

t.test('stale: 0s, nothing is used past its ttl; KMS that throttles counts as away, and then it is used', async (t) => {
  const strict = fakeKms()
  const none = await opened(WRAPPED, configOf('derived', 'main', { staleMs: 0 }), strict)
  strict.fault = AWAY
  strict.pass(HOUR)
  t.equal(await code(none), 'ServiceUnavailable')
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  kms.fault = THROTTLED
  kms.pass(1.5 * HOUR)
  t.equal(await code(ring), 'ok')
  t.strictSame(lookUps(kms), ['stale'])
})

t.test('a failing KMS is asked at most every half second, however many ask', async (t) => {
  const kms = fakeKms()
  const ring = await opened(MAC, configOf('kms-mac'), kms)
  kms.fault = AWAY
  t.equal(await code(ring, 'first'), 'ServiceUnavailable')
  const calls = kms.calls.length
  t.equal(calls, 3, 'a request asks three times')
  const codes = new Set(await Promise.all(Array.from({ length: 500 }, (_, i) => code(ring, `object ${i}`))))
  t.strictSame([...codes], ['ServiceUnavailable'])
  t.equal(kms.calls.length, calls, 'and the next ones not at all, for a while')
  kms.pass(1000)
  await Promise.all(Array.from({ length: 500 }, (_, i) => code(ring, `object ${i}`)))
  t.equal(kms.calls.length, calls + 1, 'then one of them asks for all')
})

t.test('throttled: SlowDown for that object, others go on', async (t) => {
  const kms = fakeKms()
  const ring = await opened(MAC, configOf('kms-mac'), kms)
  kms.fault = THROTTLED
  t.equal(await code(ring, 'a'), 'SlowDown')
  kms.fault = 'none'
  t.equal(await code(ring, 'b'), 'ok')
  t.equal(await code(ring, 'a'), 'SlowDown', 'not again at once')
  kms.pass(2000)
  t.equal(await code(ring, 'a'), 'ok')
})

t.test('throttled: of a thousand cold objects one is patient, and soon after all are again', async (t) => {
  const kms = fakeKms()
  const ring = await opened(MAC, configOf('kms-mac'), kms)
  kms.fault = THROTTLED
  for (let i = 0; i < 1000; i++) t.notOk((await code(ring, `object ${i}`)) !== 'SlowDown')
  t.equal(kms.calls.length, 1002)
  kms.pass(5000)
  kms.calls.length = 0
  t.equal(await code(ring, 'later'), 'SlowDown')
  t.equal(kms.calls.length, 3)
})

t.test('denied: what is held works to its end and no longer, whatever stale says', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  kms.fault = DENIED
  kms.pass(0.95 * HOUR)
  t.equal(await code(ring), 'ok')
  await settle()
  kms.pass(0.06 * HOUR)
  t.equal(await code(ring), 'AccessDenied')
  t.equal(lookUps(kms).includes('stale'), false)
  const calls = kms.calls.length
  t.equal(await code(ring), 'AccessDenied')
  t.equal(kms.calls.length, calls, 'a denial is remembered for a while')
  kms.fault = 'none'
  kms.pass(60_000)
  t.equal(await code(ring), 'ok', 'enabled again')
})

t.test('what KMS has denied does not come back when KMS goes away', async (t) => {
  for (const [contents, type] of [
    [WRAPPED, 'derived'],
    [MAC, 'kms-mac'],
  ] as const) {
    const kms = fakeKms()
    const ring = await opened(contents, configOf(type), kms)
    t.equal(await code(ring, 'a'), 'ok')
    t.equal(await code(ring, 'b'), 'ok')
    kms.fault = DENIED
    kms.pass(1.01 * HOUR)
    t.equal(await code(ring, 'a'), 'AccessDenied')
    kms.fault = AWAY
    for (let seconds = 0; seconds < 600; seconds += 20) {
      kms.pass(20_000)
      for (const objectKey of ['a', 'b']) {
        if ((await code(ring, objectKey)) === 'ok') t.fail(`${type}: ${objectKey} works again after ${seconds} s`)
      }
    }
    t.equal(lookUps(kms).includes('stale'), false)
    kms.fault = 'none'
    kms.pass(60_000)
    t.equal(await code(ring, 'a'), 'ok', 'allowed again')
    kms.fault = AWAY
    kms.pass(1.01 * HOUR)
    t.equal(await code(ring, 'a'), 'ok', 'and then stale as before')
  }
})

t.test('a refresh in the background that breaks ends nothing but itself', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  const { sleep } = kms
  Object.assign(kms, { sleep: () => Promise.reject(new TypeError('a fault of ours')) })
  const unhandled: unknown[] = []
  const hear = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))
  kms.fault = AWAY
  kms.pass(0.95 * HOUR)
  t.equal(await code(ring), 'ok')
  await settle()
  await settle()
  t.strictSame(unhandled, [])
  Object.assign(kms, { sleep })
})

t.test('another key out of KMS than was wrapped is denied, at a refresh too', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  kms.decrypted = bytesOf('another')
  t.match(await openAll(WRAPPED, configOf('derived'), kms), {
    type: 'problems',
    problems: [{ message: /check value does not belong/ }, { message: /check value does not belong/ }],
  })
  kms.pass(2 * HOUR)
  t.equal(await code(ring), 'AccessDenied')
})

t.test('kms-mac: the data key is the HMAC of the frozen info, whatever the object key', async (t) => {
  const kms = fakeKms()
  const ring = await opened(MAC, configOf('kms-mac'), kms)
  for (const objectKey of ['cat.jpg', 'a//b', '../x', 'a%2Fb', 'folder/', 'caf\u00e9', '\u{1f511}', 'k'.repeat(1024)]) {
    const info = Buffer.from(`ssec-proxy/v1\0photos\0${objectKey}`)
    const expected = createHmac('sha256', macKeyOf('alias/mac')).update(info).digest('hex')
    t.ok((await keyFor(ring, objectKey)) === expected, objectKey.slice(0, 10))
  }
  const old = await ring.forVersion(scope, 'm1')
  const info = derivationInfo('photos', 'cat.jpg')
  t.ok(old !== 'unknown' && hex(old.key) === createHmac('sha256', macKeyOf('mac-old')).update(info).digest('hex'))
  t.strictSame(kms.calls.at(-1), 'GenerateMac mac-old')
})

t.test(
  'kms-mac: what is remembered costs nothing, what is not costs a call, and the memory has its size',
  async (t) => {
    const kms = fakeKms()
    const ring = await opened(MAC, configOf('kms-mac', 'main', { cachedObjects: 2 }), kms)
    for (const objectKey of ['a', 'b', 'a', 'b', 'a']) await keyFor(ring, objectKey)
    t.equal(kms.calls.length, 2)
    await keyFor(ring, 'c')
    await keyFor(ring, 'b')
    t.equal(kms.calls.length, 4)
    t.strictSame(lookUps(kms), ['miss', 'miss', 'hit', 'hit', 'hit', 'miss', 'miss'])
  },
)

t.test('kms-mac: a key that is not the one of the check value stops the start', async (t) => {
  const file = written('kms-mac', { versions: [{ ...writtenMac('alias/mac', 'm1', 'active'), kmsKeyId: 'other' }] })
  const found = await problems(file, configOf('kms-mac'), fakeKms())
  t.match(found, [/^k\.json: versions\[0\]\.kmsKeyId is denied .*check value does not belong/])
})

t.test(
  'kms-mac: an alias that is pointed elsewhere while the proxy runs encrypts nothing with another key',
  async (t) => {
    const kms = fakeKms()
    kms.aliases.set('alias/mac', 'arn:1')
    const file = written('kms-mac', { versions: [{ ...writtenMac('arn:1', 'm1', 'active'), kmsKeyId: 'alias/mac' }] })
    const ring = await opened(file, configOf('kms-mac'), kms)
    const before = await keyFor(ring, 'a')
    kms.aliases.set('alias/mac', 'arn:2')
    kms.pass(2 * HOUR)
    t.ok((await keyFor(ring, 'a')) === before)
    t.strictSame(kms.calls, ['GenerateMac arn:1', 'GenerateMac arn:1'])
    kms.aliases.set('arn:1', 'arn:2')
    t.equal(await code(ring, 'new'), 'AccessDenied', 'and an answer for another key is not taken')
  },
)

t.test('kms-mac: golden vectors, of a KMS that has the golden key', async (t) => {
  const kms = fakeKms()
  const key = Buffer.from(GOLDEN.key, 'hex')
  const messages: string[] = []
  const generateMac = (kmsKeyId: string, message: Buffer) => {
    messages.push(message.toString('hex'))
    return Promise.resolve({
      type: 'bytes' as const,
      bytes: createHmac('sha256', key).update(message).digest(),
      kmsKeyId,
    })
  }
  const golden = { ...kms, connect: () => ({ ...kms.kms, generateMac }) }
  const version = { ...writtenMac('alias/golden', 'm1', 'active'), check: GOLDEN.check }
  const file = written('kms-mac', { versions: [version] })
  const result = await openKeyrings([configOf('kms-mac')], text(file), clock, golden)
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  const { keyring } = result.opened[0]!
  t.ok(GOLDEN.vectors.length > 25)
  for (const { bucketIdentity, objectKey, info, dataKey } of GOLDEN.vectors) {
    const made = await keyring.forWrite(scopeOf('photos', objectKey, undefined, bucketIdentity))
    t.ok(hex(made.key) === dataKey, objectKey.slice(0, 20))
    t.equal(messages.at(-1), info)
  }
})

t.test('nothing that is told holds a key', async (t) => {
  const kms = fakeKms()
  const ring = await opened(WRAPPED, configOf('derived'), kms)
  await keyFor(ring)
  kms.fault = DENIED
  kms.pass(4 * HOUR)
  const error = await Promise.resolve(ring.forWrite(scope)).catch((cause: unknown) => cause as Error)
  const told = JSON.stringify([kms.events, error, (error as Error).cause])
  for (const id of ['v1', 'v2']) {
    t.notOk(told.includes(bytesOf(id).toString('base64')) || told.includes(bytesOf(id).toString('hex')))
  }
})
