import { keptNames } from '../s3/kept-names.js'
import { LastUsed } from './last-used.js'
import { unsignable } from './unsignable.js'

/** RFC 9110's token, in lower case. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** The names of the headers that are signed. */
export interface SignedNames {
  /** sorted */
  readonly names: readonly string[]
  /** SignedHeaders: the same, with `;` between them */
  readonly list: string
}

/** Requests of one kind have the same headers in the same order; kinds are few. */
const KEPT_KINDS = 16
const KEPT_LENGTH = 1024

interface Kind extends SignedNames {
  /** of all headers */
  readonly all: readonly string[]
}

const kinds = new LastUsed<Kind>(KEPT_KINDS)

/**
 * Which of these headers are signed.
 *
 * @throws S3Error InternalError where one is no name in lower case
 */
export function signedNames(all: readonly string[]): SignedNames {
  const known = kinds.find((kind) => areSame(kind.all, all))
  if (known !== undefined) return known
  const names = Object.freeze(all.filter(isSigned).sort())
  const kind = { all, names, list: names.join(';') }
  // Names of properties have memory of their own in V8, so that no head of a request is kept with them.
  if (all.join('').length <= KEPT_LENGTH) kinds.add(kind)
  return kind
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false
  return true
}

/** Others change on the way (user-agent, accept-encoding, expect), and a signed one must not. @throws where it is no name */
const isSigned = keptNames((name) => {
  if (!NAME.test(name)) throw unsignable(`${name} is not a name in lower case`)
  if (name.startsWith('x-amz-')) return true
  return name === 'host' || name === 'content-type' || name === 'range' || name === 'content-md5'
})
