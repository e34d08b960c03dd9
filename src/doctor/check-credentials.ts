import type { MaintenanceAnswer, UpstreamAccess } from '../maintenance/access.js'
import { refusedBy, remedyFor } from '../maintenance/error.js'
import { childrenOf, readTree, textOf } from '../maintenance/xml-tree.js'
import { MaintenanceError } from '../maintenance/error.js'
import { UnusableCredentials } from '../upstream/credentials.js'
import type { CredentialSource } from '../upstream/types.js'
import { about, type Finding } from './finding.js'

/** Refusals that mean that the credentials, the clock or the region are wrong, and not the permission. */
const WRONG = [
  'SignatureDoesNotMatch',
  'InvalidAccessKeyId',
  'InvalidToken',
  'ExpiredToken',
  'RequestTimeTooSkewed',
  'AuthorizationHeaderMalformed',
]

export interface CredentialsLook {
  readonly findings: readonly Finding[]
  /** The upstream's `Date`, where there was an answer. */
  readonly date: string | undefined
}

/**
 * Whether there are credentials, whether S3 takes them, and who it says they are: ListBuckets names the owner of the account,
 * and AWS's refusal of it names the user or role.
 *
 * @param whose `upstream`, or an identity that has credentials of its own
 */
export async function checkCredentials(
  access: Pick<UpstreamAccess, 'send'>,
  source: CredentialSource,
  whose: string,
): Promise<CredentialsLook> {
  const finding = about('credentials', whose)
  let accessKeyId: string
  try {
    accessKeyId = (await source()).accessKeyId
  } catch (error) {
    // Of the SDK's errors the name alone: what their messages quote is not ours to know.
    const reason = error instanceof Error ? error.name : 'no answer'
    const detail = error instanceof UnusableCredentials ? error.message : `there are none (${reason})`
    return {
      findings: [finding('failed', detail, 'check credentials in the configuration, and what they refer to')],
      date: undefined,
    }
  }
  const answer = await access
    .send({ method: 'GET', target: { type: 'service' }, query: new Map(), headers: {}, body: 'none' })
    .catch((error: unknown) => {
      if (error instanceof MaintenanceError) return error
      throw error
    })
  if (answer instanceof MaintenanceError) return { findings: [finding('failed', answer.message)], date: undefined }
  return { findings: [judge(answer, accessKeyId, whose)], date: answer.fields.get('date') }
}

function judge(answer: MaintenanceAnswer, accessKeyId: string, whose: string): Finding {
  const finding = about('credentials', whose)
  if (answer.status === 200) return finding('ok', `${accessKeyId}, ${ownerOf(answer)}`)
  if (WRONG.includes(answer.code))
    return finding('failed', `${accessKeyId}: the upstream answered ${answer.code}`, remedyFor(answer.code))
  if (answer.status === 403) {
    const [, arn] = /User: (arn:[\x21-\x7e]{1,300}) is not authorized/.exec(answer.body.toString('utf8')) ?? []
    return finding('ok', `${accessKeyId}${arn === undefined ? '' : `, ${arn}`}; may not list buckets, and need not`)
  }
  return finding('warning', refusedBy('ListBuckets', answer).message)
}

function ownerOf(answer: MaintenanceAnswer): string {
  try {
    const [owner] = childrenOf(readTree(answer.body, 'ListAllMyBucketsResult'), 'Owner')
    const [id, name] = owner === undefined ? ['', ''] : [textOf(owner, 'ID'), textOf(owner, 'DisplayName')]
    return id === '' ? 'of an owner that is not named' : `account ${[name, id].filter((one) => one !== '').join(', ')}`
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    return 'of an owner that is not named'
  }
}
