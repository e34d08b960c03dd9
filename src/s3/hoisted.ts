import { S3Error } from './error.js'
import type { Fields } from './fields.js'
import type { Query } from './query.js'

/**
 * Parameters that sign a request with version 4. They are no part of what it asks.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
const PRESIGNING = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-region-set',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
])
/** RFC 9110, 5.6.2 */
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/

/**
 * The headers that a presigner moved into the query: every `x-amz-*` parameter that is not part of the signature itself, by
 * lower-case name, with its decoded text.
 *
 * @param signing lower-case names of the parameters that sign; version 4's, if nothing is said
 * @throws S3Error InvalidArgument where a name or value cannot be a header's, or two names differ in case only
 */
export function hoistedFields(query: Query, signing: ReadonlySet<string> = PRESIGNING): ReadonlyMap<string, string> {
  if (query.size === 0) return NONE
  const hoisted = new Map<string, string>()
  for (const [parameter, value] of query) {
    const name = parameter.toLowerCase()
    if (!name.startsWith('x-amz-') || signing.has(name)) continue
    if (!TOKEN.test(name) || CONTROL.test(value) || hoisted.has(name)) {
      throw new S3Error('InvalidArgument', {
        message: 'A query parameter that stands for a header is not a valid one, or occurs twice.',
        extra: { ArgumentName: parameter.slice(0, 128) },
      })
    }
    hoisted.set(name, value)
  }
  return hoisted
}

const NONE: ReadonlyMap<string, string> = new Map()

/**
 * The headers with those of the query among them again.
 *
 * @throws S3Error InvalidArgument where one of them came as a header too, with another value
 */
export function withHoisted(fields: Fields, hoisted: ReadonlyMap<string, string>): Fields {
  if (hoisted.size === 0) return fields
  const all = new Map(fields)
  for (const [name, text] of hoisted) {
    const value = Buffer.from(text, 'utf8').toString('latin1')
    const sent = fields.get(name)
    if (sent !== undefined && sent !== value) {
      throw new S3Error('InvalidArgument', {
        message: `${name} is in the query and, with another value, in the headers. Send it once.`,
        extra: { ArgumentName: name },
      })
    }
    all.set(name, value)
  }
  return all
}
