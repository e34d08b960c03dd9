import fc from 'fast-check'
import t from 'tap'
import { rememberedVersions } from '../../src/keyring/cached.js'
import { candidateKey, readAttempts, readCandidates, type Candidate } from '../../src/keyring/candidates.js'
import { derivedKeyring } from '../../src/keyring/derived.js'
import { fixedKeyring } from '../../src/keyring/fixed.js'
import { objectsKeyring } from '../../src/keyring/objects.js'
import type { KeyReference } from '../../src/keyring/port.js'
import { clock, isSame, keyOf, scopeOf, versionOf } from './material.js'

const main = derivedKeyring(
  'main',
  [
    versionOf('v1', 'readable', '2024-01-01T00:00:00Z'),
    versionOf('v2', 'readable', '2025-01-01T00:00:00Z'),
    versionOf('v3', 'active', '2026-01-01T00:00:00Z'),
  ],
  clock,
)
const legacy = fixedKeyring('legacy', [versionOf('v1', 'active')], clock)
const scope = scopeOf('photos', 'a')

type Encrypted = Extract<KeyReference, { type: 'encrypted' }>
const reference = (more: Partial<Encrypted> = {}): Encrypted => ({
  type: 'encrypted',
  keyring: main,
  alsoRead: [],
  bucketIdentity: 'photos',
  plaintext: 'deny',
  clientKeys: 'reject',
  clientEncryption: 'drop',
  ...more,
})
const shown = (candidates: readonly Candidate[]) =>
  candidates.map((one) => (one.type === 'plain' ? 'plain' : `${one.keyring} ${one.keyVersion}`))
const candidates = (of: KeyReference, remembered?: { keyring: string; keyVersion: string } | 'plain') => {
  const memory = rememberedVersions(1)
  if (remembered !== undefined) memory.set(scope, remembered)
  return shown(readCandidates(of, scope, memory))
}

t.test('active, then older, then further keyrings, then plain', async (t) => {
  t.strictSame(candidates(reference()), ['main v3', 'main v2', 'main v1'])
  t.strictSame(candidates(reference({ alsoRead: [legacy], plaintext: 'allow' })), [
    'main v3',
    'main v2',
    'main v1',
    'legacy v1',
    'plain',
  ])
  t.strictSame(candidates({ type: 'plain', clientKeys: 'reject' }), ['plain'])
})

t.test('the memory is asked only where it could change something', async (t) => {
  const scopes: unknown[] = []
  const memory = { get: (of: unknown) => (scopes.push(of), 'unknown' as const) }
  t.strictSame(shown(readCandidates(reference({ keyring: legacy }), scope, memory)), ['legacy v1'])
  t.strictSame(shown(readCandidates({ type: 'plain', clientKeys: 'reject' }, scope, memory)), ['plain'])
  t.strictSame(scopes, [])
  t.strictSame(shown(readCandidates(reference({ keyring: legacy, plaintext: 'allow' }), scope, memory)), [
    'legacy v1',
    'plain',
  ])
  t.strictSame(scopes, [scope])
})

t.test('what is remembered comes first, and once', async (t) => {
  t.strictSame(candidates(reference(), { keyring: 'main', keyVersion: 'v1' }), ['main v1', 'main v3', 'main v2'])
  t.strictSame(
    candidates(reference({ alsoRead: [legacy], plaintext: 'allow' }), { keyring: 'legacy', keyVersion: 'v1' }),
    ['legacy v1', 'main v3', 'main v2', 'main v1', 'plain'],
  )
  t.strictSame(candidates(reference({ plaintext: 'allow' }), 'plain'), ['plain', 'main v3', 'main v2', 'main v1'])
})

t.test('what the rule no longer allows is not tried, remembered or not', async (t) => {
  const all = ['main v3', 'main v2', 'main v1']
  t.strictSame(candidates(reference(), 'plain'), all, 'plain')
  t.strictSame(candidates(reference(), { keyring: 'legacy', keyVersion: 'v1' }), all, 'a keyring that went')
  t.strictSame(candidates(reference(), { keyring: 'main', keyVersion: 'v0' }), all, 'a key version that went')
  t.strictSame(candidates({ type: 'plain', clientKeys: 'reject' }, { keyring: 'main', keyVersion: 'v1' }), ['plain'])
})

t.test('a keyring that comes twice is tried once', async (t) => {
  t.strictSame(candidates(reference({ alsoRead: [legacy, main, legacy] })), [
    'main v3',
    'main v2',
    'main v1',
    'legacy v1',
  ])
})

t.test('nothing is tried where no keyring knows the object', async (t) => {
  const empty = objectsKeyring('found', [])
  t.strictSame(candidates(reference({ keyring: empty })), [])
  t.strictSame(candidates(reference({ keyring: empty, plaintext: 'allow' })), ['plain'])
})

t.test('whatever is remembered changes the order only', async () => {
  const remembered = fc.option(
    fc.oneof(
      fc.constant('plain' as const),
      fc.record({
        keyring: fc.constantFrom('main', 'legacy', 'x'),
        keyVersion: fc.constantFrom('v1', 'v2', 'v3', 'x'),
      }),
    ),
  )
  const property = fc.property(
    remembered,
    fc.constantFrom<'allow' | 'deny'>('allow', 'deny'),
    fc.subarray([legacy, main]),
    (memory, plaintext, alsoRead) => {
      const of = reference({ plaintext, alsoRead })
      const without = candidates(of)
      const result = candidates(of, memory ?? undefined)
      const first = memory === null ? '' : memory === 'plain' ? 'plain' : `${memory.keyring} ${memory.keyVersion}`
      const expected = without.includes(first) ? [first, ...without.filter((one) => one !== first)] : without
      return JSON.stringify(result) === JSON.stringify(expected) && new Set(result).size === result.length
    },
  )
  fc.assert(property)
})

t.test(
  'the key that writes take is tried once more where it was not the last: the object may have moved to it',
  async (t) => {
    const attempts = (of: KeyReference, remembered?: { keyring: string; keyVersion: string } | 'plain', at = scope) => {
      const memory = rememberedVersions(1)
      if (remembered !== undefined) memory.set(at, remembered)
      return shown(readAttempts(of, at, memory))
    }
    const v1 = { keyring: 'main', keyVersion: 'v1' }
    t.strictSame(attempts(reference()), ['main v3', 'main v2', 'main v1', 'main v3'])
    t.strictSame(attempts(reference(), v1), ['main v1', 'main v3', 'main v2', 'main v3'])
    const one = reference({ keyring: legacy })
    t.strictSame(attempts(one), ['legacy v1'], 'nothing can have come between')
    t.strictSame(attempts({ ...one, plaintext: 'allow' }), ['legacy v1', 'plain', 'legacy v1'], 'encrypted meanwhile')
    t.strictSame(attempts({ ...one, plaintext: 'allow' }, 'plain'), ['plain', 'legacy v1'], 'it is the last')
    t.strictSame(attempts({ ...one, alsoRead: [main] }).at(-1), 'legacy v1', 'from another keyring')
    const found = objectsKeyring('found', [])
    t.strictSame(attempts(reference({ keyring: found, alsoRead: [main] })), ['main v3', 'main v2', 'main v1'])
    t.strictSame(attempts({ type: 'plain', clientKeys: 'reject' }), ['plain'])
    const named = (versionId: string) => attempts(reference(), undefined, scopeOf('photos', 'a', versionId))
    t.strictSame(named('3HL4kqtJvjVBH40Nrjfkd'), ['main v3', 'main v2', 'main v1'], 'a version stays what it is')
    t.strictSame(named('null').at(-1), 'main v3', 'the null version is written anew')
  },
)

t.test('the data key of a candidate', async (t) => {
  const of = reference({ alsoRead: [legacy] })
  const key = await candidateKey(of, scope, { keyring: 'legacy', keyVersion: 'v1' })
  t.ok(key !== 'unknown' && key.keyring === 'legacy' && isSame(key.key, keyOf('v1')))
  t.equal(await candidateKey(of, scope, { keyring: 'legacy', keyVersion: 'v2' }), 'unknown')
  t.equal(await candidateKey(of, scope, { keyring: 'gone', keyVersion: 'v1' }), 'unknown')
})
