import { encodeStrict } from './encoding.js'
import type { Call } from './call.js'
import type { StoredHeaders, Tag } from './model.js'
import { Refusal } from './refusal.js'

/** System metadata that a writer sets and a reader gets back. */
const SYSTEM = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]
const METADATA_LIMIT = 2048

/** What a write says its object is. `aws-chunked` is a framing, not a coding, and is not kept. */
export function storedHeaders(call: Call): StoredHeaders {
  const stored: Record<string, string> = {}
  let size = 0
  for (const [name, value] of call.fields) {
    if (name.startsWith('x-amz-meta-')) {
      size += name.length - 'x-amz-meta-'.length + value.length
      stored[name] = value
    } else if (SYSTEM.includes(name) || name === REDIRECT) {
      if (name === REDIRECT) checkRedirect(value)
      stored[name] = value
    }
  }
  if (size > METADATA_LIMIT) {
    throw new Refusal('MetadataTooLarge', { extra: { Size: String(size), MaxSizeAllowed: String(METADATA_LIMIT) } })
  }
  const codings = (stored['content-encoding'] ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
  if (codings.length > 0) stored['content-encoding'] = codings.join(',')
  else delete stored['content-encoding']
  return { 'content-type': 'binary/octet-stream', ...stored }
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html */
const REDIRECT = 'x-amz-website-redirect-location'

function checkRedirect(location: string): void {
  if (!/^(?:\/|https?:\/\/)/.test(location)) throw new Refusal('InvalidRedirectLocation')
}

const CLASSES = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
]

/** The storage class asked for. @throws Refusal NotImplemented */
export function storageClassOf(call: Call): string {
  const asked = call.fields.get('x-amz-storage-class') ?? 'STANDARD'
  if (CLASSES.includes(asked)) return asked
  throw new Refusal('NotImplemented', { extra: { Header: 'x-amz-storage-class' } })
}

/** Tags of `x-amz-tagging`. @throws Refusal InvalidArgument, InvalidTag */
export function taggingOf(call: Call): readonly Tag[] {
  const header = call.fields.get('x-amz-tagging')
  if (header === undefined) return []
  return checkTags([...new URLSearchParams(header)].map(([key, value]) => ({ key, value })))
}

/** At most 10 tags, unique keys of 1 to 128 characters, values of up to 256. @throws Refusal InvalidTag */
export function checkTags(tags: readonly Tag[], limit = 10): readonly Tag[] {
  const keys = new Set(tags.map((tag) => tag.key))
  const fine = tags.every((tag) => tag.key.length > 0 && tag.key.length <= 128 && tag.value.length <= 256)
  if (tags.length > limit || keys.size !== tags.length || !fine) throw new Refusal('InvalidTag')
  return tags
}

/** Features that a write may ask for and that this origin has not. @throws Refusal NotImplemented */
export function refuseUnbuilt(call: Call): void {
  const unbuilt = [...call.fields.keys()].find((name) => name === 'x-amz-write-offset-bytes')
  if (unbuilt !== undefined) throw new Refusal('NotImplemented', { extra: { Header: unbuilt } })
}

/** Buckets here are `BucketOwnerEnforced`: the owner's own full control may be said, nothing else. @throws Refusal */
export function checkAcl(call: Call): void {
  const canned = call.fields.get('x-amz-acl') ?? 'private'
  const granted = [...call.fields.keys()].some((name) => name.startsWith('x-amz-grant-'))
  if (granted || (canned !== 'private' && canned !== 'bucket-owner-full-control')) {
    throw new Refusal('AccessControlListNotSupported')
  }
}

/** `response-*` parameters replace headers of the answer. */
export function responseOverrides(call: Call): Record<string, string> {
  const overrides: Record<string, string> = {}
  for (const [name, value] of call.query) {
    const header = name.replace(/^response-/, '')
    if (name.startsWith('response-') && SYSTEM.includes(header)) overrides[header] = value
  }
  return overrides
}

/** A header value with characters that HTTP takes: what is not Latin-1 is percent-encoded. */
export function headerSafe(value: string): string {
  return /^[\x20-\x7e\x80-\xff\t]*$/.test(value) ? value : encodeStrict(value)
}
