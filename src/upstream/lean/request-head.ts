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
/** Names that were found good: requests have the same few again and again. */
const good = new Set<string>()
const MAX_GOOD = 1000
/** Characters: a thousand names should not be megabytes. */
const MAX_NAME = 100

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
    if (!good.has(name)) judgeName(name)
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

function judgeName(name: string): void {
  if (!NAME.test(name) || CONNECTIONS_OWN.has(name)) refuse(`header ${JSON.stringify(name.slice(0, 100))}`)
  if (good.size < MAX_GOOD && name.length <= MAX_NAME) good.add(name)
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`the request cannot be sent as it was signed: ${what}`))
}
