import type { Problem } from '../config/problem.js'
import type { RuleConfig } from '../config/types.js'
import type { Bucket, ObjectKey } from '../s3/names.js'
import type { Keyring, KeyReference } from './port.js'

interface CompiledRule {
  readonly prefix: string
  readonly etag: RuleConfig['etag']
  /** With the bucket identity left open where it is the bucket's name. */
  readonly reference: KeyReference
  readonly identity: string | 'bucket'
}

/** Rules ready for look-up: longest prefix first, whatever their order in the configuration. */
export interface CompiledRules {
  readonly byBucket: ReadonlyMap<string, readonly CompiledRule[]>
  readonly anyBucket: readonly CompiledRule[]
  /** See {@link bucketETagPolicy}: of the buckets that have rules of their own, and of all others. */
  readonly etagPolicies: ReadonlyMap<string, RuleConfig['etag']>
  readonly otherETagPolicy: RuleConfig['etag']
}

export type CompilationResult =
  | { readonly type: 'rules'; readonly rules: CompiledRules }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

/** Joins rules and keyrings. Two rules for the same bucket and prefix, of which one would win by chance, are refused. */
export function compileRules(configs: readonly RuleConfig[], keyrings: readonly Keyring[]): CompilationResult {
  const problems: Problem[] = []
  const known = new Map(keyrings.map((keyring) => [keyring.name, keyring]))
  const seen = new Map<string, number>()
  const byBucket = new Map<string, CompiledRule[]>()
  configs.forEach((config, i) => {
    const place = JSON.stringify([config.bucket, config.prefix])
    const before = seen.get(place)
    if (before !== undefined) {
      problems.push({ path: `rules[${i}]`, message: `is about the same bucket and prefix as rules[${before}]` })
    }
    seen.set(place, i)
    const reference = referenceOf(config.keys, known, (path, message) =>
      problems.push({ path: `rules[${i}].keys.${path}`, message }),
    )
    if (reference === undefined) return
    const identity = config.keys.type === 'encrypted' ? config.keys.bucketIdentity : 'bucket'
    const rule = { prefix: config.prefix, etag: config.etag, reference, identity }
    byBucket.set(config.bucket, [...(byBucket.get(config.bucket) ?? []), rule])
  })
  if (problems.length > 0) return { type: 'problems', problems }
  for (const rules of byBucket.values()) rules.sort((a, b) => b.prefix.length - a.prefix.length)
  const anyBucket = byBucket.get('*') ?? []
  byBucket.delete('*')
  const etagPolicies = new Map([...byBucket].map(([bucket, own]) => [bucket, etagPolicy(deciding(own, anyBucket))]))
  return { type: 'rules', rules: { byBucket, anyBucket, etagPolicies, otherETagPolicy: etagPolicy(anyBucket) } }
}

function etagPolicy(rules: readonly CompiledRule[]): RuleConfig['etag'] {
  if (rules.every(({ reference }) => reference.type !== 'encrypted')) return 'passthrough'
  return rules.find(({ prefix }) => prefix === '')?.etag ?? 'opaque'
}

function referenceOf(
  keys: RuleConfig['keys'],
  known: ReadonlyMap<string, Keyring>,
  report: (path: string, message: string) => void,
): KeyReference | undefined {
  if (keys.type === 'plain') return { type: 'plain', clientKeys: keys.clientKeys }
  const find = (name: string, path: string): Keyring[] => {
    const keyring = known.get(name)
    if (keyring === undefined) report(path, `names a keyring that is not configured: ${name}`)
    return keyring === undefined ? [] : [keyring]
  }
  const [keyring] = find(keys.keyring, 'keyring')
  const alsoRead = keys.alsoRead.flatMap((name, i) => find(name, `alsoRead[${i}]`))
  if (keys.bucketIdentity === '' || /\0|\p{Surrogate}/u.test(keys.bucketIdentity)) {
    report('bucketIdentity', 'is empty, or holds a zero byte or text that is not Unicode')
  }
  if (keyring === undefined) return undefined
  const { type, bucketIdentity, plaintext, clientKeys, clientEncryption } = keys
  return { type, keyring, alsoRead, bucketIdentity, plaintext, clientKeys, clientEncryption }
}

/** The rule for one object: the bucket's name beats `*`, then a longer prefix beats a shorter one. */
export function selectKeys(rules: CompiledRules, bucket: Bucket, objectKey: ObjectKey): KeyReference | 'no-rule' {
  const rule = fitting(rules.byBucket.get(bucket), objectKey) ?? fitting(rules.anyBucket, objectKey)
  if (rule === undefined) return 'no-rule'
  const { reference, identity } = rule
  return reference.type === 'encrypted' && identity === 'bucket' ? { ...reference, bucketIdentity: bucket } : reference
}

function fitting(rules: readonly CompiledRule[] | undefined, objectKey: string): CompiledRule | undefined {
  return rules?.find(({ prefix }) => objectKey.startsWith(prefix))
}

/** Whether any object of the bucket can be written with a customer key. */
export function bucketHasEncryptedRules(rules: CompiledRules, bucket: Bucket): boolean {
  return rulesOf(rules, bucket).some(({ reference }) => reference.type === 'encrypted')
}

/**
 * How the ETags of a bucket are shown. Lists mix objects of all prefixes and do not tell which are encrypted, so one
 * policy holds for the whole bucket: that of its rule without a prefix, and `opaque` where there is none.
 */
export function bucketETagPolicy(rules: CompiledRules, bucket: Bucket): RuleConfig['etag'] {
  return rules.etagPolicies.get(bucket) ?? rules.otherETagPolicy
}

/**
 * The rules' answers for the objects under a prefix: of the rules above it the one that holds for it, and all below it.
 * The bucket identity is filled in.
 */
export function referencesUnder(rules: CompiledRules, bucket: Bucket, prefix: string): readonly KeyReference[] {
  const own = rulesOf(rules, bucket)
  const above = own.find((rule) => prefix.startsWith(rule.prefix))
  const below = own.filter((rule) => rule !== above && rule.prefix.startsWith(prefix))
  return [...(above === undefined ? [] : [above]), ...below].map(({ reference, identity }) =>
    reference.type === 'encrypted' && identity === 'bucket' ? { ...reference, bucketIdentity: bucket } : reference,
  )
}

/** The rules that can decide about an object of this bucket, its own first. */
function rulesOf({ byBucket, anyBucket }: CompiledRules, bucket: Bucket): readonly CompiledRule[] {
  return deciding(byBucket.get(bucket) ?? [], anyBucket)
}

function deciding(own: readonly CompiledRule[], anyBucket: readonly CompiledRule[]): readonly CompiledRule[] {
  return [...own, ...anyBucket.filter((rule) => !own.some(({ prefix }) => rule.prefix.startsWith(prefix)))]
}
