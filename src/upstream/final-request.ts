import { UpstreamFailure, type UpstreamRequest } from './types.js'

/** What goes on the wire and how many bytes of body belong to it. */
export interface FinalRequest {
  readonly headers: Readonly<Record<string, string>>
  /** bytes; 0 where there is no body; `chunked` where only its end tells */
  readonly length: number | 'chunked'
}

/**
 * Headers that speak of one connection only, or that node and http-proxy treat in ways of their own: http-proxy drops
 * `trailer`, and leaves out its events where it sees `expect`.
 */
const REFUSED = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'expect']
const BODY_METHODS = ['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Checks that a request can go out exactly as it was signed, and makes the one header explicit that would otherwise be
 * made up on the way: `content-length`. It comes last because node re-encodes a `content-disposition` that follows it
 * (nodejs/node PR 46528), which would break the signature of a file name that is not ASCII.
 *
 * @throws UpstreamFailure `protocol`
 */
export function finalRequest(request: UpstreamRequest): FinalRequest {
  const { 'content-length': declared, ...others } = request.headers
  for (const name of REFUSED) if (name in others) refuse(`header ${name}`)
  for (const name of Object.keys(others)) if (name !== name.toLowerCase()) refuse('a header name in upper case')
  if (others['host'] === undefined || others['host'] === '') refuse('no host header')
  if (request.method === 'CONNECT' || !/^[A-Z]+$/.test(request.method)) refuse('the method')
  // A `?` without a query would be dropped by http-proxy; `*` and absolute targets it would give a slash.
  if (!/^\/[\x21-\xff]*$/.test(request.path) || /^[^?]*\?$/.test(request.path)) refuse('the request-target')
  const coding = others['transfer-encoding']
  if (request.body.type === 'stream') {
    if (coding !== undefined) {
      // http-proxy would take this header off a DELETE; node frames the body where it sees it.
      if (coding !== 'chunked' || declared !== undefined || !['PUT', 'POST'].includes(request.method))
        refuse('the length')
      return { headers: Object.freeze(others), length: 'chunked' }
    }
    if (declared === undefined || !/^\d{1,15}$/.test(declared)) refuse('a body without content-length')
    return { headers: Object.freeze({ ...others, 'content-length': declared }), length: Number(declared) }
  }
  if (coding !== undefined) refuse('transfer-encoding without a body')
  if (declared !== undefined && declared !== '0') refuse('content-length without a body')
  const headers = BODY_METHODS.includes(request.method) ? { ...others, 'content-length': '0' } : others
  return { headers: Object.freeze(headers), length: 0 }
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`the request cannot be sent as it was signed: ${what}`))
}
