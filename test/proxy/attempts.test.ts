import fc from 'fast-check'
import t from 'tap'
import type { Candidate } from '../../src/keyring/candidates.js'
import type { DataKey, Keyring, Soon } from '../../src/keyring/port.js'
import { Attempts, type PlannedAttempt } from '../../src/proxy/attempts.js'
import type { KeyPlan, KeyedRequest } from '../../src/proxy/messages.js'
import { copySourceHeaders, targetHeaders } from '../../src/s3/customer-key.js'
import { S3Error } from '../../src/s3/error.js'
import { keyOf, scopeOf } from '../keyring/material.js'

const asked: string[] = []

/** Key versions whose names begin with `x` are unknown, with `!` refused; with a `~` in them they come later. */
function keyring(name: string): Keyring {
  const forVersion = (_: unknown, keyVersion: string): Soon<DataKey | 'unknown'> => {
    asked.push(keyVersion)
    if (keyVersion.startsWith('!')) throw new S3Error('AccessDenied')
    const key = keyVersion.startsWith('x') ? 'unknown' : { keyring: name, keyVersion, key: keyOf(keyVersion) }
    return keyVersion.includes('~') ? Promise.resolve(key) : key
  }
  return { name, type: 'derived', keyVersions: () => [], candidates: () => [], forWrite: () => data('v1'), forVersion }
}
const data = (keyVersion: string): DataKey => ({ keyring: 'main', keyVersion, key: keyOf(keyVersion) })

const scope = scopeOf('photos', 'a')
const plans = {
  none: { type: 'none' },
  one: { type: 'one', dataKey: data('v1'), scope },
  relayed: { type: 'relayed', key: { type: 'client', key: keyOf('client') }, scope, plaintext: 'deny' },
} as const
const candidates = (...versions: readonly string[]): KeyPlan => ({
  type: 'candidates',
  reference: {
    type: 'encrypted',
    keyring: keyring('main'),
    alsoRead: [],
    bucketIdentity: 'photos',
    plaintext: 'allow',
    clientKeys: 'relay',
    clientEncryption: 'drop',
  },
  scope,
  candidates: versions.map((keyVersion): Candidate =>
    keyVersion === 'plain' ? { type: 'plain' } : { type: 'key', keyring: 'main', keyVersion },
  ),
})
const planned = (targetKey: KeyPlan, sourceKey: KeyPlan = plans.none) =>
  new Attempts({ targetKey, sourceKey } as unknown as KeyedRequest)

const nameOf = (key: PlannedAttempt['target']) => (key === 'plain' || !('keyring' in key) ? 'other' : key.keyVersion)

async function all(targetKey: KeyPlan, sourceKey: KeyPlan): Promise<readonly PlannedAttempt[]> {
  const sequence = planned(targetKey, sourceKey)
  const found: PlannedAttempt[] = []
  for (let one = await sequence.next(); one !== 'none'; one = await sequence.next()) found.push(one)
  t.equal(await sequence.next(), 'none', 'after the end is the end')
  return found
}

t.test('what is in memory is there at once, with the headers of its keys', async (t) => {
  for (const plan of [plans.none, plans.one, plans.relayed, candidates('v1')]) {
    const first = planned(plan).next()
    if (first instanceof Promise || first === 'none') return t.fail(plan.type)
    t.strictSame(first.headers, first.target === 'plain' ? {} : targetHeaders(first.target.key))
  }
  const copied = planned(plans.one, candidates('v2')).next()
  if (copied instanceof Promise || copied === 'none') return t.fail('a copy')
  t.strictSame(copied.headers, { ...targetHeaders(keyOf('v1')), ...copySourceHeaders(keyOf('v2')) })
})

t.test('a key is asked for when its turn comes, and not before', async (t) => {
  asked.length = 0
  const sequence = planned(candidates('xold', 'v1~', 'v2'))
  t.strictSame(asked, [])
  const first = sequence.next()
  t.type(first, Promise)
  const known = await first
  t.equal(known === 'none' ? 'none' : nameOf(known.target), 'v1~')
  t.strictSame(asked, ['xold', 'v1~'])
})

t.test('what a keyring throws ends the attempts', async (t) => {
  t.throws(() => planned(candidates('!')).next(), { code: 'AccessDenied' })
  await t.rejects(Promise.resolve(planned(candidates('x~', '!')).next()), { code: 'AccessDenied' })
})

t.test('every key of the target with every key of the source, in order', async (t) => {
  const version = fc.constantFrom('v1', 'v2~', 'x', 'x~', 'plain')
  const side = fc.oneof(fc.constantFrom<readonly string[]>(['one'], ['relayed'], ['none']), fc.array(version))
  const planOf = (names: readonly string[]) =>
    names.length === 1 && names[0]! in plans ? plans[names[0] as keyof typeof plans] : candidates(...names)
  const property = fc.asyncProperty(side, side, async (targets, sources) => {
    const found = await all(planOf(targets), planOf(sources))
    const fit = (names: readonly string[]) =>
      names
        .filter((name) => !name.startsWith('x'))
        .map((name) => (name === 'one' ? 'v1' : name.startsWith('v') ? name : 'other'))
    const expected = fit(targets).flatMap((target) => fit(sources).map((source) => [target, source]))
    t.strictSame(
      found.map(({ target, source }) => [nameOf(target), nameOf(source)]),
      expected,
    )
  })
  await fc.assert(property, { numRuns: 200 })
})
