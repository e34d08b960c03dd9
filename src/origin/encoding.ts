import { Refusal } from './refusal.js'

/** Percent-encodes everything but RFC 3986's unreserved characters, as the signature's canonical query wants it. */
export function encodeStrict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** The same for a path: `/` stays. */
export function encodePath(text: string): string {
  return encodeStrict(text).replaceAll('%2F', '/')
}

/** Encoding of names in listings with `encoding-type=url`: a space is `+`, `/` stays (as S3 does). */
export function encodeListed(text: string): string {
  return encodePath(text).replaceAll('%20', '+')
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes a part of the request-target once. S3 reads a bare `+` as a space, in paths too.
 * Nothing is normalised: `.`, `..`, `//` and any Unicode form stay what they are.
 * @throws Refusal InvalidURI
 */
export function decodeOnce(raw: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) throw new Refusal('InvalidURI')
  const bytes = raw
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    throw new Refusal('InvalidURI')
  }
}

export type Query = ReadonlyMap<string, string>

/** The query's parameters, decoded; those without `=` have `''`. @throws Refusal InvalidURI, InvalidArgument (twice) */
export function parseQuery(rawQuery: string): Query {
  const query = new Map<string, string>()
  for (const part of rawQuery.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decodeOnce(equals < 0 ? part : part.slice(0, equals))
    if (query.has(name)) throw new Refusal('InvalidArgument', { message: `Duplicate parameter ${name}` })
    query.set(name, equals < 0 ? '' : decodeOnce(part.slice(equals + 1)))
  }
  return query
}
