import { bucketProblem, prefixProblem, ruleBucketProblem } from './bucket-names.js'
import { repeated, type Finding, type Path } from './problem.js'
import type { View } from './view.js'

/** Keyrings have one name each; every rule says something possible, about a scope that no other rule is about. */
export function checkRules(view: View): readonly Finding[] {
  const messages = [
    ...view.texts(['rules', '*', 'bucket']).map(({ at, value }) => ({ at, message: ruleBucketProblem(value) })),
    ...view.texts(['rules', '*', 'prefix']).map(({ at, value }) => ({ at, message: prefixProblem(value) })),
  ]
  const rules = view.get(['rules'])
  return [
    ...repeated(
      view.texts(['keyrings', '*', 'name']),
      (first) => `is the name of ${first.replace('.name', '')} already`,
    ),
    ...messages.filter(({ message }) => message !== 'ok'),
    ...checkReferences(view),
    ...checkScopes(view),
    ...(Array.isArray(rules) ? [...rules.keys()] : []).flatMap((i) => checkRule(view, ['rules', i])),
  ]
}

/** A name of a wrong shape is told as such, not as unknown: it need not be here twice. */
function checkReferences(view: View): readonly Finding[] {
  const names = new Set(view.texts(['keyrings', '*', 'name']).map(({ value }) => value))
  const unknown = [
    ...view.texts(['rules', '*', 'keyring']).filter(({ value }) => value !== 'none'),
    ...view.texts(['rules', '*', 'alsoRead', '*']),
  ].filter(({ value }) => !names.has(value))
  return unknown.map(({ at }) => ({
    at,
    message: `names no keyring; ${names.size === 0 ? 'none is configured' : `configured are ${[...names].join(', ')}`}`,
  }))
}

function checkScopes(view: View): readonly Finding[] {
  const scopes = view.texts(['rules', '*', 'bucket']).flatMap(({ at, value }) => {
    const rule = at.slice(0, -1)
    const prefix = view.get([...rule, 'prefix'])
    return typeof prefix === 'string' ? [{ at: rule, value: JSON.stringify([value, prefix]) }] : []
  })
  return repeated(scopes, (first) => `is about the same bucket and prefix as ${first}: one of the two must go`)
}

/** Fields that only mean something where objects are encrypted. */
const ENCRYPTED_ONLY = ['alsoRead', 'bucketIdentity', 'plaintext', 'clientEncryption']

function checkRule(view: View, at: Path): readonly Finding[] {
  const text = (name: string): string => {
    const value = view.get([...at, name])
    return typeof value === 'string' ? value : ''
  }
  const of = (name: string, message: string): Finding => ({ at: [...at, name], message })
  const findings: Finding[] = []
  const report = (name: string, message: string) => findings.push(of(name, message))
  if (text('prefix') !== '' && view.given([...at, 'etag'])) {
    report('etag', 'holds for a whole bucket: move it to the rule of this bucket that has no prefix')
  }
  if (text('etag') === 'md5') findings.push(...checkMD5(view, at, text('bucket')))
  if (text('keyring') === 'none') {
    const idle = ENCRYPTED_ONLY.filter((name) => view.given([...at, name]))
    return [...findings, ...idle.map((name) => of(name, 'has no meaning with `keyring: none`'))]
  }
  const alsoRead = view.get([...at, 'alsoRead'])
  if (Array.isArray(alsoRead) && alsoRead.includes(text('keyring'))) {
    report('alsoRead', 'repeats the keyring of the rule itself, which reads try first')
  }
  if (view.given([...at, 'bucketIdentity'])) {
    const message = identityProblem(text('bucket'), text('bucketIdentity'))
    if (message !== 'ok') report('bucketIdentity', message)
  }
  return findings
}

/** What the start would find out about the upstream, it must be able to ask about. */
function checkMD5(view: View, at: Path, bucket: string): readonly Finding[] {
  const findings: string[] = []
  if (bucket === '*') {
    findings.push(
      'cannot be `md5` for `*`: the upstream is probed in the bucket itself; write a rule for each such bucket',
    )
  }
  if (view.get(['upstream', 'trailingChecksums']) === 'verify') {
    findings.push(
      'cannot be `md5` with upstream.trailingChecksums: verify: the MD5 travels behind the body, as a trailing checksum',
    )
  }
  return findings.map((message) => ({ at: [...at, 'etag'], message }))
}

function identityProblem(bucket: string, identity: string): string {
  if (bucket === '*') return 'would give all buckets the keys of one: write it into a rule for one bucket'
  // The word is the configuration's own for "the name of the bucket itself".
  if (identity === 'bucket') return 'cannot be `bucket`'
  return bucketProblem(identity)
}
