import { keptNames } from '../../s3/kept-names.js'
import { bodyLength, CONNECTIONS_OWN } from '../final-request.js'
import { UpstreamFailure, type UpstreamRequest } from '../types.js'

/** What goes on the wire before the body, and how many bytes of body belong to it. */
export interface RequestHead {
  /** The request line and the headers, exactly as they were signed; a byte string. */
  readonly text: string
  /** bytes; 0 where there is no body; `chunked` where only its end tells */
  readonly length: number | 'chunked'
}

const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
/** RFC 9110's token, in lower case: metadata with an underscore in their names are common. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/
const METHOD = /^[A-Z]+$/
const LENGTH_WITHOUT_BODY: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'])
const isSendable = keptNames((name) => NAME.test(name) && !CONNECTIONS_OWN.has(name))

/**
 * @throws UpstreamFailure `protocol` where the request cannot go out exactly as it was signed, or would be read in two ways
 */
export function requestHead(request: UpstreamRequest): RequestHead {
  const { method, path, headers } = request
  if (method === 'CONNECT' || !METHOD.test(method)) refuse('the method')
  if (!PATH.test(path) || path.indexOf('?') === path.length - 1) refuse('the request-target')
  if ((headers['host'] ?? '') === '') refuse('no host header')
  const length = bodyLength(request)
  let text = `${method} ${path} HTTP/1.1\r\n`
  let values = ''
  for (const name in headers) {
    if (!isSendable(name)) refuse(`header ${JSON.stringify(name.slice(0, 100))}`)
    const value = headers[name] as string
    values += value
    text += `${name}: ${value}\r\n`
  }
  if (NOT_IN_VALUE.test(values)) refuse('the value of a header')
  if (length === 0 && headers['content-length'] === undefined && LENGTH_WITHOUT_BODY.has(method)) {
    text += 'content-length: 0\r\n'
  }
  return { text: `${text}\r\n`, length }
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`the request cannot be sent as it was signed: ${what}`))
}
