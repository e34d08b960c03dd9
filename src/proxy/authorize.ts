import type { Grant, Permission } from '../config/types.js'
import type { ClassifiedRequest, Identity, Pipeline } from './messages.js'
import { demandServed } from './preflight.js'
import { S3Error } from '../s3/error.js'

/**
 * What a grant is asked about: an object, everything under a listing's prefix, a bucket as a whole, anything in a bucket, or
 * any bucket.
 */
export type Subject =
  | { readonly type: 'object'; readonly bucket: string; readonly objectKey: string }
  | { readonly type: 'listing'; readonly bucket: string; readonly prefix: string }
  | { readonly type: 'bucket'; readonly bucket: string }
  | { readonly type: 'somewhere'; readonly bucket: string }
  | { readonly type: 'service' }

/**
 * The fourth stage: the identity may do this to the target and may read the copy source.
 *
 * @throws S3Error AccessDenied, with what is missing only as the cause: the client learns no names of grants
 */
export function authorize(request: ClassifiedRequest, pipeline: Pick<Pipeline, 'identities' | 'anonymous'>): void {
  const { identity, operation, target } = request
  if (operation.permission === 'none') {
    if (target.type !== 'service') demandServed(target.bucket, pipeline)
    return
  }
  demand(identity, operation.permission, subjectOf(request))
  if (request.copySource !== 'none') {
    const { bucket, objectKey } = request.copySource
    demand(identity, 'read', { type: 'object', bucket, objectKey })
  }
  // Anything but a plain no: how the upstream reads ` true` or `true,true` is not for us to guess.
  if ((request.fields.get('x-amz-bypass-governance-retention') ?? 'false').toLowerCase() !== 'false') {
    const whole = target.type === 'bucket' ? ({ type: 'bucket', bucket: target.bucket } as const) : subjectOf(request)
    demand(identity, 'manage', whole)
  }
}

/** @throws S3Error AccessDenied */
export function demand(identity: Identity, permission: Permission, subject: Subject): void {
  if (mayDo(identity.grants, permission, subject)) return
  const where = subject.type === 'service' ? 'the service' : `bucket ${subject.bucket}`
  throw new S3Error('AccessDenied', {
    cause: `identity ${identity.name} has no grant of ${permission} for this ${subject.type} (${where})`,
  })
}

/** Whether one of the grants gives the permission. A grant with prefixes covers a bucket's listing only below them. */
export function mayDo(grants: readonly Grant[], permission: Permission, subject: Subject): boolean {
  return grants.some((grant) => {
    if (!grant.permissions.includes(permission)) return false
    switch (subject.type) {
      case 'service':
        return true
      case 'bucket':
        return matchesBucket(grant.bucket, subject.bucket) && (permission === 'list' || coversWhole(grant))
      case 'somewhere':
        return matchesBucket(grant.bucket, subject.bucket)
      case 'listing':
        return matchesBucket(grant.bucket, subject.bucket) && startsWithOne(grant.prefixes, subject.prefix)
      case 'object':
        return matchesBucket(grant.bucket, subject.bucket) && startsWithOne(grant.prefixes, subject.objectKey)
    }
  })
}

function subjectOf(request: ClassifiedRequest): Subject {
  const { target, operation, query } = request
  switch (target.type) {
    case 'service':
      return { type: 'service' }
    case 'bucket':
      // Its keys are checked one by one when the document is read.
      if (operation.name === 'DeleteObjects') return { type: 'somewhere', bucket: target.bucket }
      return operation.listsObjects
        ? { type: 'listing', bucket: target.bucket, prefix: query.get('prefix') ?? '' }
        : { type: 'bucket', bucket: target.bucket }
    case 'object':
      return { type: 'object', bucket: target.bucket, objectKey: target.objectKey }
  }
}

function coversWhole(grant: Grant): boolean {
  return grant.prefixes.includes('')
}

function startsWithOne(prefixes: readonly string[], text: string): boolean {
  return prefixes.some((prefix) => text.startsWith(prefix))
}

/** A name, or a pattern in which each `*` stands for any run of characters. Linear in time: no backtracking. */
export function matchesBucket(pattern: string, bucket: string): boolean {
  if (pattern === '*') return true
  if (!pattern.includes('*')) return pattern === bucket
  const parts = pattern.split('*')
  const first = parts[0] as string
  const last = parts[parts.length - 1] as string
  if (!bucket.startsWith(first) || !bucket.endsWith(last)) return false
  let at = first.length
  const end = bucket.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = bucket.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= end
}
