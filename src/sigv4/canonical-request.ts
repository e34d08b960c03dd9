import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import { flatText } from '../s3/flat-text.js'

export interface SignedParts {
  readonly method: string
  /** As sent, not decoded. */
  readonly rawPath: string
  /** As sent, without the `?`. */
  readonly rawQuery: string
  readonly fields: Fields
  readonly signedHeaders: readonly string[]
  readonly payloadHash: string
  /** The query then has an X-Amz-Signature, which did not sign itself. */
  readonly presigned: boolean
}

/**
 * SigV4's canonical request, a byte string (latin1) like everything it is made of: hash it as such.
 *
 * The path is taken as it is given. S3 does not normalise it, and clients sign the bytes that they send, whatever they left
 * unescaped, but for what pathSpellings knows: to decode and encode again here would only break some of them.
 *
 * @throws S3Error InvalidURI where the query has a `%` without two hexadecimal digits
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function canonicalRequest(input: SignedParts): string {
  const { method, rawPath, rawQuery, fields, signedHeaders, payloadHash, presigned } = input
  const query = rawQuery === '' ? '' : canonicalQuery(rawQuery, presigned)
  const start = `${method}\n${rawPath}\n${query}`
  const { starts, end } = kept.get(signedHeaders) ?? aroundValues(signedHeaders)
  let text = start
  for (let i = 0; i < starts.length; i += 1) {
    text += (starts[i] as string) + (fields.get(signedHeaders[i] as string) ?? '')
  }
  text += end + payloadHash
  if (!mayHaveBlanks(text)) return text
  text = start
  for (const [i, name] of signedHeaders.entries())
    text += (starts[i] as string) + canonicalValue(fields.get(name) ?? '')
  return text + end + payloadHash
}

/** What stands around the values of headers in a canonical request. */
interface AroundValues {
  /** Before each value: the LF of the line before, and the name. */
  readonly starts: readonly string[]
  /** Behind the last one: the end of its line, an empty one, the names, and the LF of their line. */
  readonly end: string
}

const kept = new WeakMap<readonly string[], AroundValues>()

/** Keeps what is made of a list of signed headers that comes again as the same object. */
export function keepSignedHeaders(signedHeaders: readonly string[]): void {
  const { starts, end } = aroundValues(signedHeaders)
  kept.set(signedHeaders, { starts: starts.map(flatText), end: flatText(end) })
}

function aroundValues(signedHeaders: readonly string[]): AroundValues {
  return { starts: signedHeaders.map((name) => `\n${name}:`), end: `\n\n${signedHeaders.join(';')}\n` }
}

/** Whether one of its values may have to be made with {@link canonicalValue}: one look at all of it, because most have no blank. */
export function mayHaveBlanks(canonical: string): boolean {
  return canonical.includes(' ') || canonical.includes('\t')
}

/** Few values have any: a tab, a space at an end, two in a row. */
const BLANKS = /^ |\t| {2}| $/

/**
 * Trimmed, inner runs of spaces and tabs made one space. JavaScript's `trim` and `\s` would also take U+00A0 and its
 * like, which in a latin1 byte string are halves of UTF-8 characters.
 */
export function canonicalValue(value: string): string {
  return !BLANKS.test(value) ? value : value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}

/** Names and values decoded and strictly encoded again, sorted by name, then value; `acl` becomes `acl=`. */
function canonicalQuery(rawQuery: string, presigned: boolean): string {
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? ([recode(pair), ''] as const) : ([recode(pair.slice(0, at)), recode(pair.slice(at + 1))] as const)
    })
    .filter(([name]) => !presigned || name !== 'X-Amz-Signature')
  // Not sorted as whole pairs: `=` comes after `-` and `.`, so that `a-b=` would come before `a=`.
  pairs.sort(([name1, value1], [name2, value2]) => compare(name1, name2) || compare(value1, value2))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/

/** Byte by byte, so that bytes that are not UTF-8 survive. A bare `+` is a space, as S3 reads it in a query. */
function recode(raw: string): string {
  if (UNRESERVED.test(raw)) return raw
  return raw.replace(/%([0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~]/g, (found, hex: string | undefined) => {
    if (hex !== undefined) return encodeByte(Number.parseInt(hex, 16))
    if (found === '%') throw new S3Error('InvalidURI')
    return found === '+' ? '%20' : encodeByte(found.charCodeAt(0))
  })
}

function encodeByte(byte: number): string {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
