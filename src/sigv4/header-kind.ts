import { flatText } from '../s3/flat-text.js'
import { keptNames } from '../s3/kept-names.js'
import { LastUsed } from './last-used.js'
import { unsignable } from './unsignable.js'

/** RFC 9110's token, in lower case. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** What all requests with the same headers in the same order have in common, whatever the values. Of all but authorization. */
export interface HeaderKind {
  /** of all headers, in the order in which they are sent */
  readonly names: readonly string[]
  /** What stands before each value on the wire: the CRLF of the line before, and the name. */
  readonly lineStarts: readonly string[]
  /** of those that are signed, sorted */
  readonly signedNames: readonly string[]
  /** SignedHeaders: the same, with `;` between them */
  readonly signedList: string
  /** Where among all headers the signed ones are. */
  readonly signedAt: readonly number[]
  /** What stands before each of their values in the canonical request: the LF of the line before, and the name. */
  readonly signedStarts: readonly string[]
  /** Where these two are; -1 where they are not */
  readonly hostAt: number
  readonly hashAt: number
}

/** Kinds are few: a client's requests for one operation are of one. */
const KEPT_KINDS = 16
const KEPT_LENGTH = 1024

const kinds = new LastUsed<HeaderKind>(KEPT_KINDS)

/**
 * @param names of all headers
 * @throws S3Error InternalError where one is no name in lower case, or is there twice
 */
export function headerKind(names: readonly string[]): HeaderKind {
  const known = kinds.find((kind) => areSame(kind.names, names))
  if (known !== undefined) return known
  const kind = newKind(names)
  if (kind.names.join('').length <= KEPT_LENGTH) kinds.add(kind)
  return kind
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false
  return true
}

function newKind(given: readonly string[]): HeaderKind {
  const signedNames = given.filter(isSigned).sort()
  // The signature comes behind them.
  if (new Set(given).add('authorization').size <= given.length) throw unsignable('a header is there twice')
  // With memory of their own: a name that is not well known was cut out of the head of a request, which would be kept with it.
  const names = given.map(flatText)
  return Object.freeze({
    names: Object.freeze(names),
    lineStarts: names.map((name, at) => flatText(at === 0 ? `${name}: ` : `\r\n${name}: `)),
    signedNames: signedNames.map(flatText),
    signedList: flatText(signedNames.join(';')),
    signedAt: signedNames.map((name) => names.indexOf(name)),
    signedStarts: signedNames.map((name) => flatText(`\n${name}:`)),
    hostAt: names.indexOf('host'),
    hashAt: names.indexOf('x-amz-content-sha256'),
  })
}

/** Others change on the way (user-agent, accept-encoding, expect), and a signed one must not. @throws where it is no name */
const isSigned = keptNames((name) => {
  if (!NAME.test(name)) throw unsignable(`${name} is not a name in lower case`)
  if (name.startsWith('x-amz-')) return true
  return name === 'host' || name === 'content-type' || name === 'range' || name === 'content-md5'
})
