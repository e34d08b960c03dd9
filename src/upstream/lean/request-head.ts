import { keptNames } from '../../s3/kept-names.js'
import { bodyLength, CONNECTIONS_OWN } from '../final-request.js'
import type { SignedHead } from '../../sigv4/signed-head.js'
import { SignedUpstreamRequest } from '../signed-request.js'
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
const isName = keptNames((name) => NAME.test(name) && !CONNECTIONS_OWN.has(name))

/** By the names of a kind of request, which are one object for all of the kind. */
const sendable = new WeakMap<readonly string[], boolean>()

/** Whether the lines may go out as they are; where not, the headers are looked at one by one. */
function isSendable({ names, isPlain }: SignedHead): boolean {
  if (!isPlain) return false
  let known = sendable.get(names)
  if (known === undefined) {
    // In a record, as it is read elsewhere, a name that is a number comes before all others.
    known = names.every((name) => isName(name) && !/^\d/.test(name))
    sendable.set(names, known)
  }
  return known
}

/**
 * @throws UpstreamFailure `protocol` where the request cannot go out exactly as it was signed, or would be read in two ways
 */
export function requestHead(request: UpstreamRequest): RequestHead {
  const head = SignedUpstreamRequest.headOf(request)
  return head !== 'none' && isSendable(head) ? signedHead(request, head) : checkedHead(request)
}

/** The signer made the path, and has checked all names and values. */
function signedHead({ body }: UpstreamRequest, head: SignedHead): RequestHead {
  const { method, path } = head
  if (!isMethod(method)) refuse('the method')
  const declared = head.get('content-length')
  const length = bodyLength(method, declared, head.get('transfer-encoding'), body)
  const end = endOf(length, declared, method)
  return { text: `${method} ${path} HTTP/1.1\r\n${head.lines()}${end}`, length }
}

function checkedHead({ method, path, headers, body }: UpstreamRequest): RequestHead {
  if (!isMethod(method)) refuse('the method')
  if (!PATH.test(path) || path.indexOf('?') === path.length - 1) refuse('the request-target')
  if ((headers['host'] ?? '') === '') refuse('no host header')
  const declared = headers['content-length']
  const length = bodyLength(method, declared, headers['transfer-encoding'], body)
  let text = `${method} ${path} HTTP/1.1\r\n`
  let values = ''
  for (const name in headers) {
    if (!isName(name)) refuse(`header ${JSON.stringify(name.slice(0, 100))}`)
    const value = headers[name] as string
    values += value
    text += `${name}: ${value}\r\n`
  }
  if (NOT_IN_VALUE.test(values)) refuse('the value of a header')
  return { text: text + endOf(length, declared, method), length }
}

const isMethod = (method: string): boolean => method === 'GET' || (method !== 'CONNECT' && METHOD.test(method))

/** What is left to say of the length, and the end of the head. */
function endOf(length: RequestHead['length'], declared: string | undefined, method: string): string {
  const isUnsaid = length === 0 && declared === undefined && LENGTH_WITHOUT_BODY.has(method)
  return isUnsaid ? 'content-length: 0\r\n\r\n' : '\r\n'
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`the request cannot be sent as it was signed: ${what}`))
}
