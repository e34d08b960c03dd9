import { isCustomerKey, isEncryptionWish } from '../s3/customer-key.js'
import type { Fields } from '../s3/fields.js'

/** Fields that speak of one connection only (RFC 9110, 7.6.1), and proxies' own. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]

/** What the proxy states itself: who signs, when, for which host, and how long the body is. */
const RESTATED = [
  'authorization',
  'content-length',
  'date',
  'host',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-trailer',
]

/**
 * What other proxies on the way said, and cookies, which S3 does not know; and the wish for compression: S3 compresses
 * nothing, and documents that a gateway before a store has compressed could be neither checked nor rewritten. `__proto__` is no header of
 * anybody's, and would be taken for the prototype of a record.
 */
const OTHERS = ['accept-encoding', 'forwarded', 'via', 'cookie', 'x-real-ip', 'x-amz-te', '__proto__']

const NOT_FOR_UPSTREAM: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...RESTATED, ...OTHERS])

/** Answers hold the key's MD5 under these names; no S3 says the key itself, but one that echoes what it was sent would. */
const KEY_MD5S = [
  'x-amz-server-side-encryption-customer-key-md5',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
]
const KEYS = ['x-amz-server-side-encryption-customer-key', 'x-amz-copy-source-server-side-encryption-customer-key']

const NOT_FOR_KEY_OWNERS: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...KEYS])
const NOT_FOR_CLIENTS: ReadonlySet<string> = new Set([...NOT_FOR_KEY_OWNERS, ...KEY_MD5S])

/**
 * A copy of the client's fields without everything that is the proxy's to say: what the Connection header lists, what speaks of the
 * client's connection, signature and host, other proxies' words, and customer keys of both sides. What is injected
 * afterwards stays.
 *
 * @param encryption whether the client may ask for another server-side encryption: S3 refuses any beside a customer key
 */
export function stripRequestFields(fields: Fields, encryption: 'keep' | 'drop'): Map<string, string> {
  const headers = new Map<string, string>()
  const listed = connectionListed(fields)
  for (const [name, value] of fields) {
    if (NOT_FOR_UPSTREAM.has(name) || listed.has(name)) continue
    if (name.startsWith('x-') ? isDroppedDetail(name, encryption) : name.startsWith('amz-sdk-')) continue
    headers.set(name, value)
  }
  return headers
}

function isDroppedDetail(name: string, encryption: 'keep' | 'drop'): boolean {
  if (name.startsWith('x-forwarded-') || isCustomerKey(name)) return true
  return encryption === 'drop' && isEncryptionWish(name)
}

/**
 * Which of the upstream's answer fields may not travel on to the client, by their names.
 *
 * @param showsKeyMD5 the MD5 is a fingerprint of the key: only a client that sent its own key gets to see it
 */
export function keptFromClient(fields: Fields, showsKeyMD5: boolean): (name: string) => boolean {
  const isKept = showsKeyMD5 ? isKeptFromKeyOwners : isKeptFromClients
  const listed = connectionListed(fields)
  return listed === NONE ? isKept : (name) => isKept(name) || listed.has(name)
}

const isKeptFromKeyOwners = (name: string): boolean => NOT_FOR_KEY_OWNERS.has(name)
const isKeptFromClients = (name: string): boolean => NOT_FOR_CLIENTS.has(name)

const NONE: ReadonlySet<string> = new Set()
const CLOSE: ReadonlySet<string> = new Set(['close'])

/** Names that Connection lists, in lower case: they go with it. */
function connectionListed(fields: Fields): ReadonlySet<string> {
  const connection = fields.get('connection')
  // keep-alive is hop-by-hop itself
  if (connection === undefined || connection === 'keep-alive') return NONE
  if (connection === 'close') return CLOSE
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}

/** Content-Encoding without the transport's `aws-chunked`, which must not be stored; `none` where nothing is left. */
export function storedContentEncoding(value: string): string | 'none' {
  const codings = value
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
  return codings.length === 0 ? 'none' : codings.join(',')
}
