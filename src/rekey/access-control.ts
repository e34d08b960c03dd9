import type { UpstreamAccess } from '../maintenance/access.js'
import { refusedBy } from '../maintenance/error.js'
import { childrenOf, readTree, textOf, type XmlElement } from '../maintenance/xml-tree.js'
import type { Bucket, ObjectKey } from '../s3/names.js'

/** Who may do what with an object, one text for each grant, sorted: `FULL_CONTROL id="…"`, `READ uri="…"`. */
export type Grants = readonly string[]

/**
 * Whether objects of the bucket can have an ACL of their own, which a copy loses. `bucket-owner`: no (what S3 gives new
 * buckets since 2023), or the operator says that the default is good enough.
 */
export type AclPolicy =
  /** `usual`: what a copy gets that is not told anything; the upstream's own account is the owner of copies. */
  { readonly type: 'keep'; readonly usual: Grants } | { readonly type: 'bucket-owner' }

/** What a copy needs so that its grants are those of its source. */
export interface AclPlan {
  readonly headers: Readonly<Record<string, string>>
  /** What must be there in the end; `usual` where the copy is told nothing. */
  readonly grants: Grants | 'usual'
}

export const USUAL_ACL: AclPlan = { headers: {}, grants: 'usual' }

/**
 * Whether the bucket takes no ACLs at all.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export async function isBucketOwnerEnforced(access: UpstreamAccess, bucket: Bucket): Promise<boolean> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'bucket', bucket },
    query: new Map([['ownershipControls', '']]),
    headers: {},
    body: 'none',
  })
  // Stores that do not know the question answer it in many ways, one of them a list of objects.
  return answer.status === 200 && answer.body.includes('<ObjectOwnership>BucketOwnerEnforced<')
}

/**
 * The grants of an object; `none` where the store knows no ACLs.
 *
 * @throws MaintenanceError where the ACL cannot be read, and so not be kept
 */
export async function readGrants(
  access: UpstreamAccess,
  bucket: Bucket,
  objectKey: ObjectKey,
): Promise<Grants | 'gone' | 'none'> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'object', bucket, objectKey },
    query: new Map([['acl', '']]),
    headers: {},
    body: 'none',
  })
  if (answer.status === 404) return 'gone'
  if (answer.status === 501 || answer.status === 405) return 'none'
  if (answer.status !== 200) throw refusedBy('reading its ACL (--acl default does without)', answer)
  const root = readTree(answer.body, 'AccessControlPolicy')
  return childrenOf(root, 'AccessControlList')
    .flatMap((list) => childrenOf(list, 'Grant'))
    .map((grant) => `${textOf(grant, 'Permission')} ${granteeOf(grant)}`)
    .sort()
}

function granteeOf(grant: XmlElement): string {
  const [grantee] = childrenOf(grant, 'Grantee')
  const of = (name: string): string => (grantee === undefined ? '' : textOf(grantee, name))
  return of('URI') === '' ? `id="${of('ID')}"` : `uri="${of('URI')}"`
}

const HEADERS: Readonly<Record<string, string>> = {
  FULL_CONTROL: 'x-amz-grant-full-control',
  READ: 'x-amz-grant-read',
  READ_ACP: 'x-amz-grant-read-acp',
  WRITE_ACP: 'x-amz-grant-write-acp',
}

/**
 * How a copy gets the grants of its source. An object that another account has written is that account's, and a copy of
 * it is ours: the other account's full control is then a grant like any other.
 *
 * @throws MaintenanceError where the ACL cannot be read
 */
export async function planAcl(
  access: UpstreamAccess,
  policy: AclPolicy,
  bucket: Bucket,
  objectKey: ObjectKey,
): Promise<AclPlan | 'gone'> {
  if (policy.type === 'bucket-owner') return USUAL_ACL
  const grants = await readGrants(access, bucket, objectKey)
  if (grants === 'gone') return 'gone'
  if (grants === 'none' || isSame(grants, policy.usual)) return USUAL_ACL
  const headers: Record<string, string> = {}
  for (const grant of grants) {
    const [permission = '', ...grantee] = grant.split(' ')
    const name = HEADERS[permission]
    if (name === undefined) continue
    const before = headers[name]
    headers[name] = `${before === undefined ? '' : `${before}, `}${grantee.join(' ')}`
  }
  return { headers, grants }
}

/** Whether the object has the grants that were planned for it, or is gone. @throws MaintenanceError */
export async function hasGrants(
  access: UpstreamAccess,
  grants: AclPlan['grants'],
  bucket: Bucket,
  objectKey: ObjectKey,
): Promise<boolean> {
  if (grants === 'usual') return true
  const found = await readGrants(access, bucket, objectKey)
  return found === 'gone' || (found !== 'none' && isSame(found, grants))
}

const isSame = (a: Grants, b: Grants): boolean => JSON.stringify(a) === JSON.stringify(b)
