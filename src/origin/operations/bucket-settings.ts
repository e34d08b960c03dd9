import { emptyAnswer, xmlAnswer, type Answer, type BucketCall } from '../call.js'
import type { EncryptionType } from '../model.js'
import { Refusal, type RefusalCode } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { branch, childrenOf, document, leaf, textOf } from '../xml.js'

export function getBucketLocation(call: BucketCall): Answer {
  return xmlAnswer(document('LocationConstraint', call.bucket.region === 'us-east-1' ? '' : call.bucket.region))
}

export function getBucketVersioning(call: BucketCall): Answer {
  const { versioning } = call.bucket
  return xmlAnswer(document('VersioningConfiguration', versioning === 'never' ? '' : leaf('Status', versioning)))
}

export async function putBucketVersioning(call: BucketCall): Promise<Answer> {
  const root = await readDocument(call, 'VersioningConfiguration')
  const status = textOf(root, 'Status')
  if (status !== 'Enabled' && status !== 'Suspended') throw new Refusal('MalformedXML')
  if (textOf(root, 'MfaDelete') === 'Enabled') throw new Refusal('NotImplemented', { extra: { Header: 'MfaDelete' } })
  call.bucket.versioning = status
  return emptyAnswer(200)
}

export function getBucketEncryption(call: BucketCall): Answer {
  const blocked = call.bucket.blocked.length === 0 ? ['NONE'] : call.bucket.blocked
  const rule = branch(
    'Rule',
    branch('ApplyServerSideEncryptionByDefault', leaf('SSEAlgorithm', 'AES256')),
    leaf('BucketKeyEnabled', false),
    branch('BlockedEncryptionTypes', ...blocked.map((type) => leaf('EncryptionType', type))),
  )
  return xmlAnswer(document('ServerSideEncryptionConfiguration', rule))
}

/** Blocks SSE-C, or lifts it with `NONE`. Default encryption other than SSE-S3 is not built. @throws Refusal */
export async function putBucketEncryption(call: BucketCall): Promise<Answer> {
  const root = await readDocument(call, 'ServerSideEncryptionConfiguration')
  const [rule] = childrenOf(root, 'Rule')
  if (rule === undefined) throw new Refusal('MalformedXML')
  const [byDefault] = childrenOf(rule, 'ApplyServerSideEncryptionByDefault')
  if (byDefault !== undefined && textOf(byDefault, 'SSEAlgorithm') !== 'AES256') throw new Refusal('NotImplemented')
  const [types] = childrenOf(rule, 'BlockedEncryptionTypes')
  if (types !== undefined) {
    const named = childrenOf(types, 'EncryptionType').map((node) => node.text)
    if (named.some((name) => name !== 'NONE' && name !== 'SSE-C')) throw new Refusal('MalformedXML')
    if (named.includes('NONE') && named.length > 1) throw new Refusal('MalformedXML')
    call.bucket.blocked = named.filter((name): name is EncryptionType => name === 'SSE-C')
  }
  return emptyAnswer(200)
}

/** Back to what S3 gives a bucket by itself. */
export function deleteBucketEncryption(call: BucketCall): Answer {
  call.bucket.blocked = call.state.blockedOnNewBuckets
  return emptyAnswer(204)
}

export function getRequestPayment(): Answer {
  return xmlAnswer(document('RequestPaymentConfiguration', leaf('Payer', 'BucketOwner')))
}

export function getBucketLogging(): Answer {
  return xmlAnswer(document('BucketLoggingStatus'))
}

export function getBucketNotification(): Answer {
  return xmlAnswer(document('NotificationConfiguration'))
}

export function getBucketAccelerate(): Answer {
  return xmlAnswer(document('AccelerateConfiguration'))
}

export function getOwnershipControls(): Answer {
  return xmlAnswer(document('OwnershipControls', branch('Rule', leaf('ObjectOwnership', 'BucketOwnerEnforced'))))
}

/** A configuration that no bucket here can have: reading it says so. */
export function absent(code: RefusalCode): (call: BucketCall) => Answer {
  return (call) => {
    throw new Refusal(code, { extra: { BucketName: call.bucket.name } })
  }
}

/** Deleting such a configuration changes nothing, as S3 answers. */
export function nothingToDelete(): Answer {
  return emptyAnswer(204)
}
