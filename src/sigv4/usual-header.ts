import { flatText } from '../s3/flat-text.js'
import { keepSignedHeaders } from './canonical-request.js'
import { LastUsed } from './last-used.js'
import type { CredentialScope } from './types.js'

/** What the parts of a usual Authorization header say, each checked for its characters; nothing is verified. */
export interface UsualHeader {
  readonly scope: CredentialScope
  readonly signedHeaders: readonly string[]
  /** 64 hexadecimal digits, lower-case; if what comes before was verified once, what stands in their place */
  readonly signature: string
}

/**
 * The header as every SDK writes it: three parts in this order, one space or none behind the commas, names in lower case.
 * An access key id may hold slashes of its own: what is greedy takes all but the last four parts.
 */
const USUAL =
  /^AWS4-HMAC-SHA256 Credential=([\x21-\x2b\x2d-\x7e]+)\/(\d{8})\/([A-Za-z0-9_-]+)\/([A-Za-z0-9_-]+)\/aws4_request, ?SignedHeaders=([!#$%&'*+.^_`|~0-9a-z;-]+), ?Signature=([0-9a-f]{64})$/

/** Characters of a signature, the last part. */
const SIGNATURE = 64

/** What all headers of one client have in common for a day, up to `Signature=`, and what it says. */
interface KnownStart extends Pick<UsualHeader, 'scope' | 'signedHeaders'> {
  readonly text: string
}

/** Clients may be many, each with some lists of signed headers; long ones may be there for the memory that they take. */
const PLACES = 64
const KEPT_IN_PLACE = 8
const KEPT_LENGTH = 1024
/** By {@link placeOf}. */
const known = Array.from({ length: PLACES }, () => new LastUsed<KnownStart>(KEPT_IN_PLACE))
/** The last header that had another start. */
let parsed: KnownStart | undefined

/**
 * Reads an Authorization header of the usual form in one step; `another` is one for the general parser, right or wrong.
 */
export function parseUsualHeader(header: string): UsualHeader | 'another' {
  const start = startOf(header)
  const signature = header.slice(-SIGNATURE)
  // Without a comma or a blank it is what the general parser would take for the signature too, right or wrong.
  if (start !== undefined && !signature.includes(',') && !signature.includes(' ') && !signature.includes('\t')) {
    return { scope: start.scope, signedHeaders: start.signedHeaders, signature }
  }
  const parts = USUAL.exec(header)
  if (parts === null) return 'another'
  const [, accessKeyId = '', date = '', region = '', service = '', list = ''] = parts
  const signedHeaders = list.split(';')
  if (signedHeaders.includes('') || new Set(signedHeaders).size !== signedHeaders.length) return 'another'
  const scope = { accessKeyId, date, region, service }
  parsed = { text: header.slice(0, -SIGNATURE), scope, signedHeaders }
  return { scope, signedHeaders, signature }
}

/**
 * Keeps the start of the header that this scope was read from. Only for what was verified: strangers would push out those
 * that are in use.
 */
export function rememberUsualHeader(scope: CredentialScope): void {
  if (parsed?.scope !== scope) return
  const { text, signedHeaders } = parsed
  parsed = undefined
  if (text.length > KEPT_LENGTH) return
  known[placeOf(text, text.length)]?.add(flatStart(text, scope, signedHeaders))
}

/** With memory of its own, and so that nobody changes what others get. */
function flatStart(text: string, scope: CredentialScope, signedHeaders: readonly string[]): KnownStart {
  const names = Object.freeze(signedHeaders.map(flatText))
  keepSignedHeaders(names)
  return {
    text: flatText(text),
    scope: Object.freeze({
      accessKeyId: flatText(scope.accessKeyId),
      date: flatText(scope.date),
      region: flatText(scope.region),
      service: flatText(scope.service),
    }),
    signedHeaders: names,
  }
}

function startOf(header: string): KnownStart | undefined {
  const length = header.length - SIGNATURE
  // Cut off and compared: startsWith takes its time for each character.
  return known[placeOf(header, length)]?.find(({ text }) => text.length === length && header.slice(0, length) === text)
}

const ACCESS_KEY_ID = 'AWS4-HMAC-SHA256 Credential='.length

/** By what tells one client from another, and nearly always one list from another: the access key id, and the length of it all. */
function placeOf(header: string, length: number): number {
  const end = Math.min(length, ACCESS_KEY_ID + 20)
  let hash = length
  for (let at = ACCESS_KEY_ID; at < end; at += 1) hash = (Math.imul(hash, 31) + header.charCodeAt(at)) | 0
  return (hash ^ (hash >>> 6) ^ (hash >>> 12)) & (PLACES - 1)
}
