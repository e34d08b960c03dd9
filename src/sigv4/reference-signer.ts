import aws4 from 'aws4'
import { encodeQuery } from '../s3/query.js'
import { canonicalValue } from './canonical-request.js'
import type { RequestToSign, SignedRequest } from './sign.js'
import { formatTimestamp } from './timestamp.js'

/** aws4 would sign these too, but they may change on the way. */
const UNSIGNED = /^(?!host$|content-md5$|content-type$|range$|x-amz-)/
/** Replaced here, whoever set them before. */
const OURS = new Set(['authorization', 'x-amz-date', 'x-amz-security-token'])

/**
 * Signs a request with aws4: what our own signer must agree with, for every request that it signs.
 *
 * S3 computes over the bytes of header values, aws4 over text that it encodes as UTF-8: it gets the text of which the
 * bytes are the UTF-8, and the bytes go on the wire.
 *
 * @throws Error where aws4 would not sign the request-target as it is; TypeError where a signed header is not UTF-8
 */
export function signByReference(input: RequestToSign): SignedRequest {
  const { path, credentials, now } = input
  const query = encodeQuery(input.query)
  const headers = new Map(Object.entries(input.headers).filter(([name]) => !OURS.has(name)))
  headers.set('x-amz-date', formatTimestamp(now))
  if (credentials.sessionToken !== 'none') headers.set('x-amz-security-token', credentials.sessionToken.reveal())
  const signed = [...headers].filter(([name]) => !UNSIGNED.test(name))
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const text = new Map(signed.map(([name, value]) => [name, utf8.decode(Buffer.from(value, 'latin1'))]))
  const target = query === '' ? path : `${path}?${query}`
  const request = {
    method: input.method,
    path: target,
    service: 's3',
    region: input.region,
    headers: Object.fromEntries(text),
    // aws4 leaves Range unsigned unless it is told to.
    extraHeadersToInclude: { range: true },
  }
  const signer = new aws4.RequestSigner(request, {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey.reveal(),
  })
  // aws4's own would also fold U+00A0, U+3000 and other spaces that S3, which sees bytes, leaves alone.
  signer.canonicalHeaders = () =>
    [...text.keys()]
      .sort()
      .map((name) => `${name}:${canonicalValue(text.get(name) ?? '')}`)
      .join('\n')
  const canonicalOf = signer.canonicalString.bind(signer)
  let canonical = ''
  signer.canonicalString = () => (canonical = canonicalOf())
  const authorization = signer.sign().headers?.['Authorization']
  // aws4 reads the target back: a path that it would write otherwise, `__proto__`, an empty name or more than 1000
  // parameters would be signed as something else than what is sent.
  const [, canonicalPath, canonicalQuery] = canonical.split('\n')
  if (typeof authorization !== 'string' || canonicalPath !== path || canonicalQuery !== query) {
    throw new Error('aws4 does not sign this request-target as it is')
  }
  headers.set('authorization', authorization)
  return { path: target, headers: Object.fromEntries(headers) }
}
