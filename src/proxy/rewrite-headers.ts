import type { Fields } from '../s3/fields.js'

/** Removes what must not travel on. Each step is a small named function; the order is the array below. */
type Strip = (headers: Map<string, string>) => void

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
 * nothing, and documents that a gateway before a store has compressed could be neither checked nor rewritten.
 */
const OTHERS = ['accept-encoding', 'forwarded', 'via', 'cookie', 'x-real-ip', 'x-amz-te']

const HOST_DETAILS = /^(?:x-forwarded-|amz-sdk-)/

/** Names listed in Connection go with it: first of all, so that they cannot take away what is injected later. */
const connectionListed: Strip = (headers) => {
  for (const name of (headers.get('connection') ?? '').split(',')) headers.delete(name.trim().toLowerCase())
}

const hopByHop: Strip = (headers) => {
  for (const name of HOP_BY_HOP) headers.delete(name)
}

const restated: Strip = (headers) => {
  for (const name of RESTATED) headers.delete(name)
}

const otherProxies: Strip = (headers) => {
  for (const name of OTHERS) headers.delete(name)
  for (const name of headers.keys()) if (HOST_DETAILS.test(name)) headers.delete(name)
}

const STRIPS: readonly Strip[] = [connectionListed, hopByHop, restated, otherProxies]

/** A copy of the client's fields without everything that is the proxy's to say. */
export function stripRequestFields(fields: Fields): Map<string, string> {
  const headers = new Map(fields)
  for (const strip of STRIPS) strip(headers)
  return headers
}

/** A copy of the upstream's answer fields that may travel on to the client. */
export function stripResponseFields(fields: Fields): Map<string, string> {
  const headers = new Map(fields)
  connectionListed(headers)
  hopByHop(headers)
  return headers
}

/** Content-Encoding without the transport's `aws-chunked`, which must not be stored; `none` where nothing is left. */
export function storedContentEncoding(value: string): string | 'none' {
  const codings = value
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
  return codings.length === 0 ? 'none' : codings.join(',')
}
