import { contentLength } from '../http1/content-length.js'
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
export const CONNECTIONS_OWN: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
])
const BODY_METHODS: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * Checks that a request can go out exactly as it was signed, and makes the one header explicit that would otherwise be
 * made up on the way: `content-length`. It comes last because node re-encodes a `content-disposition` that follows it
 * (nodejs/node PR 46528), which would break the signature of a file name that is not ASCII.
 *
 * @throws UpstreamFailure `protocol`
 */
export function finalRequest(request: UpstreamRequest): FinalRequest {
  const { headers, method, body } = request
  checkTarget(request)
  const declared = headers['content-length']
  const length = bodyLength(method, declared, headers['transfer-encoding'], body)
  if (length === 'chunked') return { headers: frozen(headers), length }
  if (body.type === 'stream') return { headers: withLengthLast(headers, declared as string), length }
  if (BODY_METHODS.has(method)) return { headers: withLengthLast(headers, '0'), length }
  return { headers: declared === undefined ? frozen(headers) : Object.freeze(withoutLength(headers)), length }
}

/**
 * How many bytes of body belong to a request, by its headers and by its body.
 *
 * @param declared content-length
 * @param coding transfer-encoding
 * @throws UpstreamFailure `protocol` where they do not agree
 */
export function bodyLength(
  method: string,
  declared: string | undefined,
  coding: string | undefined,
  body: UpstreamRequest['body'],
): FinalRequest['length'] {
  if (body.type === 'none') {
    if (coding !== undefined) refuse('transfer-encoding without a body')
    if (declared !== undefined && declared !== '0') refuse('content-length without a body')
    return 0
  }
  if (coding === undefined) {
    const bytes = declared === undefined ? 'malformed' : contentLength(declared)
    if (bytes === 'malformed') refuse('a body without content-length')
    return bytes
  }
  // http-proxy would take this header off a DELETE; node frames the body where it sees it.
  if (coding !== 'chunked' || declared !== undefined || (method !== 'PUT' && method !== 'POST')) refuse('the length')
  return 'chunked'
}

function checkTarget({ method, path, headers }: UpstreamRequest): void {
  for (const name of Object.keys(headers)) {
    if (CONNECTIONS_OWN.has(name)) refuse(`header ${name}`)
    if (name !== name.toLowerCase()) refuse('a header name in upper case')
  }
  if ((headers['host'] ?? '') === '') refuse('no host header')
  if (method === 'CONNECT' || !/^[A-Z]+$/.test(method)) refuse('the method')
  // A `?` without a query would be dropped by http-proxy; `*` and absolute targets it would give a slash.
  if (!/^\/[\x21-\xff]*$/.test(path) || path.indexOf('?') === path.length - 1) refuse('the request-target')
}

type Headers = UpstreamRequest['headers']

/** As they are where nobody can change them any more: a copy is made only of what is not final. */
function frozen(headers: Headers): Headers {
  return Object.isFrozen(headers) ? headers : Object.freeze({ ...headers })
}

function withLengthLast(headers: Headers, length: string): Headers {
  const names = Object.keys(headers)
  if (names[names.length - 1] === 'content-length' || followsHarmlessly(headers)) return frozen(headers)
  return Object.freeze({ ...withoutLength(headers), 'content-length': length })
}

/** Only what is signed as a file name is touched behind it. */
function followsHarmlessly(headers: Headers): boolean {
  return headers['content-length'] !== undefined && headers['content-disposition'] === undefined
}

function withoutLength(headers: Headers): Record<string, string> {
  const others = { ...headers }
  delete others['content-length']
  return others
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`the request cannot be sent as it was signed: ${what}`))
}
