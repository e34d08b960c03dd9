import { encodeListed, type Query } from '../encoding.js'
import { invalidArgument } from '../refusal.js'

/** What every listing is asked. */
export interface Listing {
  readonly prefix: string
  readonly delimiter: string
  /** at most 1000 */
  readonly limit: number
  /** Names as the answer has them: encoded where `encoding-type=url` asks for it. */
  readonly show: (name: string) => string
  readonly encodingElement: string
}

/** @throws Refusal InvalidArgument */
export function readListing(query: Query, limitName: string): Listing {
  const encoding = query.get('encoding-type')
  if (encoding !== undefined && encoding !== 'url') {
    throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request')
  }
  const limit = query.get(limitName) ?? '1000'
  if (!/^\d{1,10}$/.test(limit) || Number(limit) > 2_147_483_647) {
    throw invalidArgument(limitName, limit, `Argument ${limitName} must be an integer between 0 and 2147483647`)
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: Math.min(Number(limit), 1000),
    show: encoding === 'url' ? encodeListed : (name) => name,
    encodingElement: encoding === 'url' ? '<EncodingType>url</EncodingType>' : '',
  }
}

/** S3 lists in the order of the names' UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export interface Page<Entry> {
  readonly entries: readonly Entry[]
  readonly prefixes: readonly string[]
  /** The last name on this page (a common prefix counts), where there are more. */
  readonly next:
    { readonly type: 'end' } | { readonly type: 'more'; readonly name: string; readonly entry: Entry | undefined }
}

/** One page of sorted entries: those under the prefix, rolled up at the delimiter, cut at the limit. */
export function groupByDelimiter<Entry>(
  sorted: Iterable<Entry>,
  nameOf: (entry: Entry) => string,
  listing: Listing,
  /** Common prefixes up to this name were on an earlier page. */
  after = '',
): Page<Entry> {
  const entries: Entry[] = []
  const prefixes: string[] = []
  let last: { name: string; entry: Entry | undefined } = { name: '', entry: undefined }
  for (const entry of sorted) {
    const name = nameOf(entry)
    if (!name.startsWith(listing.prefix)) continue
    const cut = listing.delimiter === '' ? -1 : name.indexOf(listing.delimiter, listing.prefix.length)
    const group = cut < 0 ? '' : name.slice(0, cut + listing.delimiter.length)
    if (group !== '' && (group === prefixes.at(-1) || (after !== '' && byBytes(group, after) <= 0))) continue
    if (entries.length + prefixes.length >= listing.limit) {
      return { entries, prefixes, next: listing.limit === 0 ? { type: 'end' } : { type: 'more', ...last } }
    }
    if (group === '') entries.push(entry)
    else prefixes.push(group)
    last = group === '' ? { name, entry } : { name: group, entry: undefined }
  }
  return { entries, prefixes, next: { type: 'end' } }
}
