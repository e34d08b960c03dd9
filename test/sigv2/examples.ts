import { readFileSync } from 'node:fs'
import { fieldsOf } from '../../src/s3/fields.js'
import { parseQuery } from '../../src/s3/query.js'
import { bucketInHost, splitTarget } from '../../src/s3/target.js'
import { parseVersion2 } from '../../src/sigv2/authorization.js'
import { unfoldVersion2 } from '../../src/sigv2/unfold.js'
import { verifyVersion2 } from '../../src/sigv2/verify.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { codeOf, errorOf } from '../sigv4/examples.js'

export { codeOf, errorOf }

export interface Example {
  readonly signer?: string
  readonly name: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
}

export interface Examples {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly baseDomains: readonly string[]
  /** seconds since 1970 */
  readonly now?: number
  readonly requests: readonly Example[]
}

const read = (name: string): Examples =>
  JSON.parse(readFileSync(new URL(`../vectors/sigv2/${name}`, import.meta.url), 'utf8')) as Examples

/** What AWS publishes on its page about version 2, as data. */
export const aws = read('aws-examples.json')
/** What boto 2 and botocore sign and send; vectors/sigv2/make.py made it. */
export const boto = read('boto.json')

export interface Circumstances {
  readonly now?: Date
  readonly secretAccessKey?: string
  readonly presignedLifetimeMs?: number
}

/** Everything that happens to a request with a version-2 signature before it is classified. */
export function verify(from: Examples, request: Example, more: Circumstances = {}) {
  const { rawPath, rawQuery } = splitTarget(request.target)
  const received = fieldsOf(request.headers.flat())
  const authorization = parseVersion2(received, parseQuery(rawQuery))
  if (authorization.type === 'none') throw new Error('no signature of version 2')
  const { fields, query } = unfoldVersion2(authorization, parseQuery(rawQuery), received)
  const date = received.get('x-amz-date') ?? received.get('date') ?? ''
  verifyVersion2({
    method: request.method,
    bucketInHost: bucketInHost(received.get('host') ?? '', from.baseDomains),
    rawPath,
    rawQuery,
    query,
    fields,
    authorization,
    secretAccessKey: new SecretAccessKey(more.secretAccessKey ?? from.secretAccessKey),
    now: more.now ?? new Date(from.now === undefined ? date : from.now * 1000),
    presignedLifetimeMs: more.presignedLifetimeMs ?? Infinity,
  })
  return { fields, query, authorization }
}

export const changed = (request: Example, change: Partial<Example>): Example => ({ ...request, ...change })

/** The request with this header in place of the one of that name, or beside the others. */
export const withHeader = (request: Example, name: string, value: string): Example => ({
  ...request,
  headers: [...request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]],
})
