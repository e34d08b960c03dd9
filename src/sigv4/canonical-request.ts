import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'

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
  let lines = ''
  let names = ''
  for (const name of signedHeaders) {
    lines += `${name}:${fields.get(name) ?? ''}\n`
    names += names === '' ? name : `;${name}`
  }
  if (mayHaveBlanks(lines)) lines = canonicalLines(signedHeaders, (name) => fields.get(name) ?? '')
  return `${method}\n${rawPath}\n${query}\n${lines}\n${names}\n${payloadHash}`
}

/** Whether lines of headers may have to be made with {@link canonicalLines}: one look at all of them, because most have no blank. */
export function mayHaveBlanks(lines: string): boolean {
  return lines.includes(' ') || lines.includes('\t')
}

/** The canonical request's lines of headers: each name with its {@link canonicalValue}. */
export function canonicalLines(names: readonly string[], valueOf: (name: string) => string): string {
  let lines = ''
  for (const name of names) lines += `${name}:${canonicalValue(valueOf(name))}\n`
  return lines
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
