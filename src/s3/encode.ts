import { S3Error } from './error.js'

/** What encodeURIComponent leaves bare though RFC 3986 (2.3) does not call it unreserved. */
const STILL_RESERVED = /[!'()*]/g
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
const ESCAPE = /%([0-9A-Fa-f]{2})/g
const PLAIN = /^[\x00-\x24\x26-\x7f]*$/
const BYTES = /^[\x00-\xff]*$/
/** What no encoding of a path, or of a part of a query, changes. */
const BARE_PATH = /^[A-Za-z0-9._~/-]*$/
const BARE_PART = /^[A-Za-z0-9._~-]*$/

/**
 * Percent-encodes for a query, as SigV4 wants it: RFC 3986's unreserved characters stay, everything else becomes `%XX`
 * of its UTF-8, upper-case; `/` too.
 *
 * @throws S3Error InvalidURI where the text is not Unicode (a lone surrogate)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function encodeQueryPart(text: string): string {
  return BARE_PART.test(text) ? text : escaped(text)
}

function escaped(text: string): string {
  try {
    return encodeURIComponent(text).replace(STILL_RESERVED, percent)
  } catch (cause) {
    throw new S3Error('InvalidURI', { cause })
  }
}

/**
 * Percent-encodes a path: as {@link encodeQueryPart}, with `/` kept. Nothing is normalised: `//`, `.` and `..` are parts
 * of object keys. The one function for all object keys, in paths and in copy sources.
 *
 * @throws S3Error InvalidURI where the text is not Unicode
 */
export function encodePath(text: string): string {
  return BARE_PATH.test(text) ? text : escaped(text).replaceAll('%2F', '/')
}

/**
 * Percent-decodes a byte string (latin1, as the listener gives it) once, to Unicode. `+` stays `+`: what it means is the
 * caller's to say. A byte order mark is a character like any other.
 *
 * @throws S3Error InvalidURI on a bad escape, on bytes that are not UTF-8
 */
export function decodeBytes(raw: string): string {
  if (PLAIN.test(raw)) return raw
  if (BAD_ESCAPE.test(raw) || !BYTES.test(raw)) throw new S3Error('InvalidURI')
  const octets = raw.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'))
  } catch (cause) {
    throw new S3Error('InvalidURI', { cause })
  }
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
