import { bucketPatternProblem, prefixProblem } from './bucket-names.js'
import { formatPath, repeated, type Finding, type Path } from './problem.js'
import type { ResolvedTexts } from './secrets.js'
import type { View } from './view.js'

/** Names and access keys are unique, each identity proves itself in exactly one way, grants name possible buckets. */
export function checkIdentities(view: View, texts: ResolvedTexts): readonly Finding[] {
  const accessKeyIds = indices(view).flatMap((i) => {
    const at = ['identities', i, 'accessKeyId']
    const value = texts.get(formatPath(at))
    return value === undefined ? [] : [{ at, value }]
  })
  return [
    ...repeated(view.texts(['identities', '*', 'name']), (first) => `is the name of ${parent(first)} already`),
    ...repeated(accessKeyIds, (first) => `is the access key id of ${parent(first)} already`),
    ...indices(view).flatMap((i) => checkAuthentication(view, ['identities', i])),
    ...checkClasses(view),
    ...checkGrants(view),
  ]
}

/** Each makes a series of metrics for every operation and status. */
const MOST_CLASSES = 32

function checkClasses(view: View): readonly Finding[] {
  const classes = view.texts(['identities', '*', 'class'])
  const seen = new Set<string>()
  for (const { at, value } of classes) {
    seen.add(value)
    if (seen.size <= MOST_CLASSES) continue
    return [{ at, message: `is one class too many: metrics tell at most ${MOST_CLASSES} apart` }]
  }
  return []
}

const parent = (path: string): string => path.replace(/\.[A-Za-z]+$/, '')

function indices(view: View): readonly number[] {
  const identities = view.get(['identities'])
  return Array.isArray(identities) ? [...identities.keys()] : []
}

function checkAuthentication(view: View, at: Path): readonly Finding[] {
  if (typeof view.get(at) !== 'object' || view.get(at) === null) return []
  const has = (name: string): boolean => view.given([...at, name])
  const of = (name: string, message: string): Finding => ({ at: [...at, name], message })
  if (has('anonymous')) {
    return ['accessKeyId', 'secretAccessKey', 'signatures', 'presignedV2Lifetime']
      .filter(has)
      .map((name) => of(name, 'an anonymous identity has no access key: leave out this field or `anonymous`'))
  }
  const signatures = view.get([...at, 'signatures'])
  const version2 = Array.isArray(signatures) && signatures.includes('v2')
  const bound =
    has('presignedV2Lifetime') && !version2
      ? [of('presignedV2Lifetime', 'has no meaning without `v2` among `signatures`')]
      : []
  const or = 'is missing; an identity has accessKeyId and secretAccessKey, or `anonymous: true`'
  return [...bound, ...['accessKeyId', 'secretAccessKey'].filter((name) => !has(name)).map((name) => of(name, or))]
}

function checkGrants(view: View): readonly Finding[] {
  const buckets = view
    .texts(['identities', '*', 'grants', '*', 'bucket'])
    .map(({ at, value }) => ({ at, message: bucketPatternProblem(value) }))
  const prefixes = view
    .texts(['identities', '*', 'grants', '*', 'prefixes', '*'])
    .map(({ at, value }) => ({ at, message: prefixProblem(value) }))
  return [...buckets, ...prefixes].filter(({ message }) => message !== 'ok')
}
