import fc from 'fast-check'
import t from 'tap'
import type { RuleConfig } from '../../src/config/types.js'
import { fixedKeyring } from '../../src/keyring/fixed.js'
import type { KeyReference } from '../../src/keyring/port.js'
import {
  bucketETagPolicy,
  bucketHasEncryptedRules,
  compileRules,
  selectKeys,
  type CompiledRules,
} from '../../src/keyring/select.js'
import { parseBucket, parseObjectKey } from '../../src/s3/names.js'
import { clock, versionOf } from './material.js'

const KEYRINGS = ['a', 'b', 'c', 'd'].map((name) => fixedKeyring(name, [versionOf('v1', 'active')], clock))
type EncryptedKeys = Extract<RuleConfig['keys'], { type: 'encrypted' }>

const encrypted = (bucket: string, prefix: string, keyring: string, more: Partial<EncryptedKeys> = {}): RuleConfig => ({
  bucket,
  prefix,
  keys: {
    type: 'encrypted',
    keyring,
    alsoRead: [],
    bucketIdentity: 'bucket',
    plaintext: 'deny',
    clientKeys: 'reject',
    clientEncryption: 'drop',
    ...more,
  },
  etag: 'opaque',
})
const plain = (bucket: string, prefix: string): RuleConfig => ({
  bucket,
  prefix,
  keys: { type: 'plain', clientKeys: 'reject' },
  etag: 'opaque',
})

const compile = (...rules: readonly RuleConfig[]): CompiledRules => {
  const result = compileRules(rules, KEYRINGS)
  if (result.type === 'problems') throw new Error(JSON.stringify(result.problems))
  return result.rules
}
const select = (rules: CompiledRules, bucket: string, objectKey: string) =>
  selectKeys(rules, parseBucket(bucket), parseObjectKey(objectKey))
const nameOf = (reference: KeyReference | 'no-rule') =>
  reference === 'no-rule' ? reference : reference.type === 'plain' ? 'plain' : reference.keyring.name

t.test('a name beats *, then a longer prefix beats a shorter one', async (t) => {
  const rules = compile(
    encrypted('*', '', 'a'),
    encrypted('*', 'logs/2026/', 'b'),
    encrypted('photos', 'logs/', 'c'),
    plain('photos', 'logs/public/'),
    encrypted('photos', 'logs/public/not', 'd'),
  )
  for (const [bucket, objectKey, name] of [
    ['backup', 'x', 'a'],
    ['backup', 'logs/2026/x', 'b'],
    ['photos', 'x', 'a'],
    ['photos', 'logs/2026/x', 'c'],
    ['photos', 'logs', 'a'],
    ['photos', 'logs/', 'c'],
    ['photos', 'Logs/x', 'a'],
    ['photos', '/logs/x', 'a'],
    ['photos', 'logs/public', 'c'],
    ['photos', 'logs/public/', 'plain'],
    ['photos', 'logs/public/x', 'plain'],
    ['photos', 'logs/public/not/this', 'd'],
  ] as const) {
    t.equal(nameOf(select(rules, bucket, objectKey)), name, `${bucket}/${objectKey}`)
  }
})

t.test('no rule is an answer of its own, not plain', async (t) => {
  t.equal(select(compile(), 'photos', 'a'), 'no-rule')
  t.equal(select(compile(encrypted('photos', 'logs/', 'a')), 'photos', 'a'), 'no-rule')
  t.equal(select(compile(encrypted('photos', '', 'a')), 'photos2', 'a'), 'no-rule')
  t.equal(select(compile(encrypted('photos', '', 'a')), 'Photos', 'a'), 'no-rule')
})

t.test('what a reference holds', async (t) => {
  const rules = compile(
    encrypted('*', '', 'a'),
    encrypted('photos', '', 'b', {
      alsoRead: ['d', 'c'],
      bucketIdentity: 'photos-source',
      plaintext: 'allow',
      clientKeys: 'relay',
    }),
    { ...plain('open', ''), keys: { type: 'plain', clientKeys: 'relay' } },
  )
  t.strictSame(select(rules, 'photos', 'x'), {
    type: 'encrypted',
    keyring: KEYRINGS[1],
    alsoRead: [KEYRINGS[3], KEYRINGS[2]],
    bucketIdentity: 'photos-source',
    plaintext: 'allow',
    clientKeys: 'relay',
    clientEncryption: 'drop',
  })
  t.match(select(rules, 'backup', 'x'), { bucketIdentity: 'backup', plaintext: 'deny', clientKeys: 'reject' })
  t.match(select(rules, 'archive', 'x'), { bucketIdentity: 'archive' }, 'the same rule, another bucket')
  t.strictSame(select(rules, 'open', 'x'), { type: 'plain', clientKeys: 'relay' })
})

t.test('problems, all at once', async (t) => {
  const rules = [
    encrypted('photos', '', 'a'),
    encrypted('photos', '', 'b'),
    encrypted('photos', 'x', 'gone', { alsoRead: ['a', 'lost'] }),
    encrypted('photos', 'y', 'a', { bucketIdentity: 'photos\0x' }),
    encrypted('photos', 'z', 'a', { bucketIdentity: '' }),
    plain('*', ''),
    plain('*', ''),
  ]
  const identity = 'is empty, or holds a zero byte or text that is not Unicode'
  t.strictSame(compileRules(rules, KEYRINGS), {
    type: 'problems',
    problems: [
      { path: 'rules[1]', message: 'is about the same bucket and prefix as rules[0]' },
      { path: 'rules[2].keys.keyring', message: 'names a keyring that is not configured: gone' },
      { path: 'rules[2].keys.alsoRead[1]', message: 'names a keyring that is not configured: lost' },
      { path: 'rules[3].keys.bucketIdentity', message: identity },
      { path: 'rules[4].keys.bucketIdentity', message: identity },
      { path: 'rules[6]', message: 'is about the same bucket and prefix as rules[5]' },
    ],
  })
})

const place = fc.record({
  bucket: fc.constantFrom('*', 'photos', 'backup'),
  prefix: fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{1f511}'), maxLength: 3 }),
  keyring: fc.constantFrom('a', 'b', 'c', 'd', 'plain'),
  etag: fc.constantFrom<RuleConfig['etag']>('opaque', 'passthrough'),
})
const ruleSet = fc
  .uniqueArray(place, { maxLength: 8, selector: ({ bucket, prefix }) => `${bucket} ${prefix}` })
  .map((places) =>
    places.map(({ bucket, prefix, keyring, etag }) => ({
      ...(keyring === 'plain' ? plain(bucket, prefix) : encrypted(bucket, prefix, keyring)),
      etag,
    })),
  )
const objectKeys = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{1f511}'), minLength: 1, maxLength: 5 })
const buckets = fc.constantFrom('photos', 'backup', 'archive')

t.test('the order of the rules does not matter, and the rule is the most specific one', async () => {
  const shuffled = ruleSet.chain((rules) =>
    fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length })),
  )
  const property = fc.property(shuffled, buckets, objectKeys, ([rules, other], bucket, objectKey) => {
    const fits = rules.filter((rule) => [bucket, '*'].includes(rule.bucket) && objectKey.startsWith(rule.prefix))
    const own = fits.filter((rule) => rule.bucket === bucket)
    const best = (own.length > 0 ? own : fits).reduce<RuleConfig | undefined>(
      (a, b) => (a !== undefined && a.prefix.length > b.prefix.length ? a : b),
      undefined,
    )
    const expected = best === undefined ? 'no-rule' : best.keys.type === 'plain' ? 'plain' : best.keys.keyring
    const one = compile(...rules)
    const two = compile(...other)
    return (
      nameOf(select(one, bucket, objectKey)) === expected &&
      nameOf(select(two, bucket, objectKey)) === expected &&
      bucketETagPolicy(one, parseBucket(bucket)) === bucketETagPolicy(two, parseBucket(bucket))
    )
  })
  fc.assert(property, { numRuns: 500 })
})

t.test('a bucket has encrypted rules exactly if some object in it is encrypted', async () => {
  const property = fc.property(ruleSet, buckets, (rules, bucket) => {
    const compiled = compile(...rules)
    // An object named as a rule's prefix is the hardest to hide from that rule; \uffff stands for all other objects.
    const objects = [...rules.flatMap(({ prefix }) => [prefix, `${prefix}\uffff`]), '\uffff'].filter(
      (name) => name !== '',
    )
    const some = objects.some((objectKey) => {
      const reference = select(compiled, bucket, objectKey)
      return reference !== 'no-rule' && reference.type === 'encrypted'
    })
    return bucketHasEncryptedRules(compiled, parseBucket(bucket)) === some
  })
  fc.assert(property, { numRuns: 500 })
})

t.test('ETags of a bucket', async (t) => {
  const policy = (bucket: string, ...rules: readonly RuleConfig[]) =>
    bucketETagPolicy(compile(...rules), parseBucket(bucket))
  const passthrough = (rule: RuleConfig): RuleConfig => ({ ...rule, etag: 'passthrough' })
  t.equal(policy('photos'), 'passthrough', 'no rule at all')
  t.equal(policy('photos', plain('photos', '')), 'passthrough', 'nothing is encrypted')
  t.equal(
    policy('photos', plain('photos', ''), encrypted('*', '', 'a')),
    'passthrough',
    'its own rule hides that for *',
  )
  t.equal(policy('photos', encrypted('*', '', 'a')), 'opaque')
  t.equal(policy('photos', passthrough(encrypted('*', '', 'a'))), 'passthrough')
  t.equal(policy('photos', passthrough(encrypted('photos', '', 'a')), encrypted('*', '', 'a')), 'passthrough')
  t.equal(policy('photos', encrypted('photos', '', 'a'), passthrough(encrypted('*', '', 'a'))), 'opaque')
  t.equal(policy('photos', passthrough(encrypted('photos', 'x/', 'a'))), 'opaque', 'a rule with a prefix has no say')
  t.equal(policy('photos', encrypted('photos', 'x/', 'a'), passthrough(plain('*', ''))), 'passthrough')
  t.equal(policy('photos', encrypted('photos', 'x/', 'a'), plain('photos', '')), 'opaque', 'lists mix the two')
})
