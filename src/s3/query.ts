import { S3Error } from './error.js'
import { decodeBytes, encodeQueryPart } from './encode.js'

/** Decoded query parameters by name. A parameter without `=` has the value `''`: `?acl` and `?acl=` are one to S3. */
export type Query = ReadonlyMap<string, string>

/**
 * Parses a raw query (without its `?`). `+` is a space here, as S3 reads it; a plus sign travels as `%2B`.
 *
 * @throws S3Error InvalidURI on a bad escape; InvalidArgument where a name occurs twice, because two readers could
 *   each take another of them
 */
export function parseQuery(rawQuery: string): Query {
  if (rawQuery === '') return NONE
  const query = new Map<string, string>()
  for (const part of rawQuery.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals < 0 ? part : part.slice(0, equals))
    if (query.has(name)) {
      throw new S3Error('InvalidArgument', {
        message: `The query parameter ${name.slice(0, 128)} occurs more than once. Send it once.`,
        extra: { ArgumentName: name.slice(0, 128) },
      })
    }
    query.set(name, equals < 0 ? '' : decode(part.slice(equals + 1)))
  }
  return query
}

const NONE: Query = new Map()

/**
 * The query as SigV4's canonical request has it, which is how it is sent too: strictly encoded, sorted by encoded name,
 * every parameter with its `=`. `''` for an empty query.
 */
export function encodeQuery(query: Query): string {
  if (query.size === 0) return ''
  return [...query]
    .map(([name, value]) => [encodeQueryPart(name), encodeQueryPart(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function decode(raw: string): string {
  return decodeBytes(raw.includes('+') ? raw.replaceAll('+', ' ') : raw)
}
