import type { UpstreamAccess } from '../maintenance/access.js'
import { refusedBy } from '../maintenance/error.js'
import { childrenOf, readTree, textOf, type XmlElement } from '../maintenance/xml-tree.js'
import type { Bucket, ObjectKey } from '../s3/names.js'

/**
 * Whether objects of the bucket can have an ACL of their own, which a copy loses. `bucket-owner`: no (what S3 gives new
 * buckets since 2023), or the operator says that the default is good enough.
 */
export type AclPolicy = 'keep' | 'bucket-owner'

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html */
export async function aclPolicy(access: UpstreamAccess, bucket: Bucket): Promise<AclPolicy> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'bucket', bucket },
    query: new Map([['ownershipControls', '']]),
    headers: {},
    body: 'none',
  })
  // Stores that do not know the question answer it in many ways, one of them a list of objects.
  return answer.status === 200 && answer.body.includes('<ObjectOwnership>BucketOwnerEnforced<')
    ? 'bucket-owner'
    : 'keep'
}

const HEADERS: Readonly<Record<string, string>> = {
  FULL_CONTROL: 'x-amz-grant-full-control',
  READ: 'x-amz-grant-read',
  READ_ACP: 'x-amz-grant-read-acp',
  WRITE_ACP: 'x-amz-grant-write-acp',
}

/**
 * The headers that give a copy the grants of its source; none where they are what a copy gets by itself.
 *
 * @throws MaintenanceError where the ACL cannot be read, and so not be kept
 */
export async function grantHeaders(
  access: UpstreamAccess,
  bucket: Bucket,
  objectKey: ObjectKey,
): Promise<Readonly<Record<string, string>> | 'gone'> {
  const answer = await access.send({
    method: 'GET',
    target: { type: 'object', bucket, objectKey },
    query: new Map([['acl', '']]),
    headers: {},
    body: 'none',
  })
  if (answer.status === 404) return 'gone'
  if (answer.status === 501 || answer.status === 405) return {}
  if (answer.status !== 200) throw refusedBy('reading its ACL (--acl default does without)', answer)
  const root = readTree(answer.body, 'AccessControlPolicy')
  const owner = childrenOf(root, 'Owner').map((element) => textOf(element, 'ID'))[0] ?? ''
  const grants = childrenOf(root, 'AccessControlList').flatMap((list) => childrenOf(list, 'Grant'))
  const isDefault = grants.every((grant) => textOf(grant, 'Permission') === 'FULL_CONTROL' && idOf(grant) === owner)
  if (isDefault) return {}
  const headers: Record<string, string> = {}
  for (const grant of grants) {
    const name = HEADERS[textOf(grant, 'Permission')]
    if (name === undefined) continue
    const before = headers[name]
    headers[name] = `${before === undefined ? '' : `${before}, `}${granteeOf(grant)}`
  }
  return headers
}

const grantee = (grant: XmlElement): XmlElement | undefined => childrenOf(grant, 'Grantee')[0]

const idOf = (grant: XmlElement): string => {
  const element = grantee(grant)
  return element === undefined ? '' : textOf(element, 'ID')
}

function granteeOf(grant: XmlElement): string {
  const element = grantee(grant)
  const uri = element === undefined ? '' : textOf(element, 'URI')
  return uri === '' ? `id="${idOf(grant)}"` : `uri="${uri}"`
}
