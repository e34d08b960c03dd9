import type { FinalRequest } from '../final-request.js'
import { UpstreamFailure, type UpstreamRequest } from '../types.js'

const IN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const IN_NAME = /^[a-z0-9-]+$/
const IN_PATH = /^[\x21-\x7e\x80-\xff]+$/
const METHOD = /^[A-Z]+$/

/**
 * The request line and the headers, exactly as they were signed; a byte string.
 *
 * @throws UpstreamFailure `protocol` where a header or the path holds what would end a line
 */
export function requestHead({ method, path }: Pick<UpstreamRequest, 'method' | 'path'>, final: FinalRequest): string {
  if (!METHOD.test(method) || !IN_PATH.test(path)) refuse('the request line')
  const { headers } = final
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    const value = headers[name] as string
    if (!IN_NAME.test(name) || !IN_VALUE.test(value)) refuse('a header')
    head += `${name}: ${value}\r\n`
  }
  return `${head}\r\n`
}

function refuse(what: string): never {
  throw new UpstreamFailure('protocol', false, new Error(`${what} cannot be sent as it is`))
}
