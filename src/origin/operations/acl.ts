import { emptyAnswer, xmlAnswer, type Answer, type BucketCall, type ObjectCall } from '../call.js'
import { OWNER } from '../model.js'
import { checkAcl } from '../object-headers.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { findObject } from '../versions.js'
import { branch, childrenOf, document, leaf, textOf } from '../xml.js'

/** Buckets are `BucketOwnerEnforced`: ACLs can be read and always say full control for the owner. */
export function getBucketAcl(): Answer {
  return xmlAnswer(ownerAcl())
}

export function getObjectAcl(call: ObjectCall): Answer {
  findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  return xmlAnswer(ownerAcl())
}

/** Accepts what changes nothing: the owner's full control, said in a header or a document. @throws Refusal */
export async function putAcl(call: BucketCall): Promise<Answer> {
  checkAcl(call)
  if (call.fields.has('x-amz-acl')) return emptyAnswer(200)
  const root = await readDocument(call, 'AccessControlPolicy')
  const grants = childrenOf(root, 'AccessControlList').flatMap((list) => childrenOf(list, 'Grant'))
  const harmless = grants.every((grant) => {
    const [grantee] = childrenOf(grant, 'Grantee')
    return grantee !== undefined && textOf(grantee, 'ID') === OWNER.id && textOf(grant, 'Permission') === 'FULL_CONTROL'
  })
  if (!harmless) throw new Refusal('AccessControlListNotSupported')
  return emptyAnswer(200)
}

export async function putObjectAcl(call: ObjectCall): Promise<Answer> {
  findObject(call.bucket, call.objectKey, call.query.get('versionId'))
  return putAcl(call)
}

function ownerAcl(): string {
  const owner = leaf('ID', OWNER.id) + leaf('DisplayName', OWNER.name)
  const grantee = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">${owner}</Grantee>`
  return document(
    'AccessControlPolicy',
    branch('Owner', owner),
    branch('AccessControlList', branch('Grant', grantee, leaf('Permission', 'FULL_CONTROL'))),
  )
}
