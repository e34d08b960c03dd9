import { isUtf8 } from 'node:buffer'
import { encodePath } from '../s3/encode.js'
import { S3Error } from '../s3/error.js'
import type { Query } from '../s3/query.js'
import type { HeaderKind } from './header-kind.js'
import { unsignable } from './unsignable.js'

const LINE = /^[\t\x20-\xff]*$/
const UNRESERVED_PATH = /^\/[A-Za-z0-9\-._~/]*$/
const ENCODED_PATH = /^\/(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/

/**
 * `__proto__`, an empty name, more than 1000 parameters: the reference would leave them out, so that nobody could say whether they
 * are signed as they should be.
 *
 * @throws S3Error InternalError
 */
export function checkTarget(path: string, query: Query): void {
  if (!UNRESERVED_PATH.test(path) && !isStrictlyEncoded(path)) throw unsignable('the path is not strictly encoded')
  if (query.size > 0 && (query.size > 1000 || query.has('') || query.has('__proto__'))) {
    throw unsignable('a query that the reference does not sign')
  }
}

function isStrictlyEncoded(path: string): boolean {
  if (!ENCODED_PATH.test(path)) return false
  try {
    return encodePath(decodeURIComponent(path)) === path
  } catch {
    return false
  }
}

/**
 * Checks the value of every header, whether it is signed or not.
 *
 * @throws S3Error InternalError where one is not a byte string of one line; InvalidArgument where a signed one is not UTF-8, for
 *   which S3 takes it
 */
export function checkValues(names: readonly string[], values: readonly string[], kind: HeaderKind): void {
  for (const [at, value] of values.entries()) {
    if (!LINE.test(value)) throw unsignable(`${names[at] as string} is not a byte string of one line`)
  }
  for (const at of kind.signedAt) checkUtf8(names[at] as string, values[at] as string)
}

function checkUtf8(name: string, value: string): void {
  if (isUtf8(Buffer.from(value, 'latin1'))) return
  throw new S3Error('InvalidArgument', {
    message: `The value of the header ${name} is not valid UTF-8.`,
    extra: { ArgumentName: name },
  })
}
