import { codeTable } from './code-table.js'

/*
 * The names that heads are made of. A name that is cut out of a head is a fresh string: to make it lower case and to look it up costs
 * V8 two more, and a hash of each. Those that are known are compared in place, and one constant stands for each of them from then on.
 */

/** Of HTTP, of S3, its clients and its stores, in lower case. What is not among them is read all the same, in more time. */
export const KNOWN_NAMES: readonly string[] = [
  'accept',
  'accept-encoding',
  'accept-language',
  'accept-ranges',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-request-headers',
  'access-control-request-method',
  'age',
  'alt-svc',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'amz-sdk-retry',
  'authorization',
  'cache-control',
  'connection',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-security-policy',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'forwarded',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'last-modified',
  'location',
  'origin',
  'pragma',
  'proxy-connection',
  'range',
  'referer',
  'retry-after',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'server',
  'strict-transport-security',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'vary',
  'via',
  'x-amz-abort-date',
  'x-amz-abort-rule-id',
  'x-amz-acl',
  'x-amz-apigw-id',
  'x-amz-archive-status',
  'x-amz-bucket-region',
  'x-amz-bypass-governance-retention',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-mode',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-type',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-range',
  'x-amz-copy-source-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
  'x-amz-copy-source-version-id',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-delete-marker',
  'x-amz-expected-bucket-owner',
  'x-amz-expiration',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-write',
  'x-amz-id-2',
  'x-amz-meta-mtime',
  'x-amz-metadata-directive',
  'x-amz-missing-meta',
  'x-amz-mp-object-size',
  'x-amz-mp-parts-count',
  'x-amz-object-attributes',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-ownership',
  'x-amz-replication-status',
  'x-amz-request-charged',
  'x-amz-request-id',
  'x-amz-request-payer',
  'x-amz-restore',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-tagging-count',
  'x-amz-te',
  'x-amz-trailer',
  'x-amz-user-agent',
  'x-amz-version-id',
  'x-amz-website-redirect-location',
  'x-content-type-options',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-real-ip',
  'x-request-id',
  'x-rgw-object-type',
  'x-xss-protection',
]

/** Codes of what names are made of (RFC 9110, 5.6.2), in lower case; 0 for all others. */
export const LOWER_CASE: Uint8Array = codeTable(/[!#$%&'*+\-.^_`|~0-9a-z]/).map((is, code) => is * code)
for (let code = 0x41; code <= 0x5a; code += 1) LOWER_CASE[code] = code + 0x20

/**
 * A hash of a name is begun with 0, and made of the {@link LOWER_CASE} codes of all its characters. Whoever sends names chooses it:
 * it says which one may be compared, and nothing else.
 */
export const hashOn = (hash: number, code: number): number => (Math.imul(hash, 31) + code) | 0

const PLACES = 2048
const placeOf = (hash: number): number => (hash ^ (hash >>> 12)) & (PLACES - 1)

/** All names, one behind the other, and where each of them begins; the number of the name in each place, from 1. Never changed later. */
const CODES = Uint8Array.from(KNOWN_NAMES.join(''), (character) => character.charCodeAt(0))
const STARTS = new Uint16Array(KNOWN_NAMES.length + 1)
const NUMBERS = new Uint8Array(PLACES)
for (const [i, name] of KNOWN_NAMES.entries()) {
  let hash = 0
  for (let at = 0; at < name.length; at += 1) hash = hashOn(hash, name.charCodeAt(at))
  if (NUMBERS[placeOf(hash)] !== 0) throw new Error(`${name} has the place of another name: change the hash`)
  NUMBERS[placeOf(hash)] = i + 1
  STARTS[i + 1] = (STARTS[i] as number) + name.length
}

/**
 * The constant for the name in these bytes, in whatever case they are; `unknown` where there is none.
 *
 * @param hash of them
 */
export function knownName(bytes: Uint8Array, from: number, to: number, hash: number): string | 'unknown' {
  const i = (NUMBERS[placeOf(hash)] as number) - 1
  if (i < 0) return 'unknown'
  const start = STARTS[i] as number
  if ((STARTS[i + 1] as number) - start !== to - from) return 'unknown'
  for (let at = from; at < to; at += 1) {
    if (LOWER_CASE[bytes[at] as number] !== CODES[start + at - from]) return 'unknown'
  }
  return KNOWN_NAMES[i] as string
}
