import t from 'tap'
import { plainKeyring } from '../../src/keyring/versions.js'
import { clock, isSame, keyOf, pendingVersion, scopeOf, versionOf } from './material.js'

const scope = scopeOf('bucket', 'object')
const order = (versions: readonly ReturnType<typeof versionOf>[]) =>
  plainKeyring('main', 'fixed', versions, clock, (key) => () => key).candidates(scope)

t.test('reads try the active version, then newest to oldest', async (t) => {
  const a = versionOf('a', 'readable', '2024-05-01T00:00:00Z')
  const b = versionOf('b', 'active', '2023-01-01T00:00:00Z')
  const c = versionOf('c', 'readable', '2026-01-01T00:00:00.001Z')
  const d = versionOf('d', 'readable', '2026-01-01T00:00:00Z')
  for (const versions of [
    [a, b, c, d],
    [d, c, b, a],
    [c, a, d, b],
  ]) {
    t.strictSame(order(versions), ['b', 'c', 'd', 'a'])
  }
})

t.test('of two made at the same time, the later in the file first', async (t) => {
  const at = '2026-01-01T00:00:00Z'
  t.strictSame(order([versionOf('x', 'readable', at), versionOf('y', 'readable', at), versionOf('z', 'active', at)]), [
    'z',
    'y',
    'x',
  ])
})

t.test('writes use the active version, a named version is itself, an unknown one is a value', async (t) => {
  const ring = plainKeyring(
    'main',
    'fixed',
    [versionOf('old', 'readable'), versionOf('new', 'active')],
    clock,
    (key) => () => key,
  )
  t.strictSame({ name: ring.name, type: ring.type }, { name: 'main', type: 'fixed' })
  const write = await ring.forWrite(scope)
  t.strictSame([write.keyring, write.keyVersion], ['main', 'new'])
  t.ok(isSame(write.key, keyOf('new')))
  const old = await ring.forVersion(scope, 'old')
  t.ok(old !== 'unknown' && old.keyVersion === 'old' && isSame(old.key, keyOf('old')))
  for (const id of ['', 'other', '__proto__', 'plain']) t.equal(await ring.forVersion(scope, id), 'unknown')
})

t.test('what is the same for every object is computed once for each version', async (t) => {
  let prepared = 0
  const ring = plainKeyring('main', 'derived', [versionOf('a', 'active'), versionOf('b', 'readable')], clock, (key) => {
    prepared++
    return () => key
  })
  for (let i = 0; i < 3; i++) await ring.forWrite(scope)
  t.equal(prepared, 2)
})

t.test('no keyring without an active version', async (t) => {
  t.throws(() => order([versionOf('a', 'readable')]), { name: 'TypeError' })
})

t.test('a pending version is the last to be tried, until its instant; from then on it is the active one', async (t) => {
  const at = Date.parse('2026-11-23T20:00:00Z')
  let now = new Date(at - 1)
  const ring = plainKeyring(
    'main',
    'fixed',
    [
      versionOf('old', 'readable', '2024-01-01T00:00:00Z'),
      versionOf('now', 'active', '2025-01-01T00:00:00Z'),
      { ...pendingVersion('next', '2026-11-23T20:00:00Z'), created: '2026-11-01T00:00:00Z' },
    ],
    () => now,
    (key) => () => key,
  )
  const seen = async () => [(await ring.forWrite(scope)).keyVersion, ring.candidates(scope), ring.keyVersions()]
  t.strictSame(await seen(), ['now', ['now', 'old', 'next'], ['now', 'old', 'next']])
  const early = await ring.forVersion(scope, 'next')
  t.ok(early !== 'unknown' && isSame(early.key, keyOf('next')), 'it can be read before')
  now = new Date(at)
  t.strictSame(await seen(), ['next', ['next', 'now', 'old'], ['next', 'now', 'old']])
  now = new Date(at - 1)
  t.strictSame(await seen(), ['now', ['now', 'old', 'next'], ['now', 'old', 'next']], 'a clock that is set back')
})
