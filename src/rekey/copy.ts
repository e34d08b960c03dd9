import type { DataKey } from '../keyring/port.js'
import type { MaintenanceAnswer, UpstreamAccess } from '../maintenance/access.js'
import { readTree, textOf } from '../maintenance/xml-tree.js'
import { formatCopySource } from '../s3/copy-source.js'
import { copySourceHeaders, customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import type { Fields } from '../s3/fields.js'
import type { Bucket, ObjectKey } from '../s3/names.js'
import type { AclPlan } from './access-control.js'
import { copyHeaders } from './kept.js'

/** One object that is to be copied onto itself, under another key. */
export interface CopyPlan {
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  readonly source: DataKey | 'plain'
  readonly target: DataKey
  /** HEAD of the source: what the copy keeps, and the ETag that it depends on. */
  readonly head: Fields
  readonly acl: AclPlan
  /** When it was looked at. */
  readonly now: Date
}

export type CopyResult =
  /** `etag`: `''` where the upstream did not tell it. */
  | { readonly type: 'copied'; readonly etag: string }
  /** It is not what was looked at any more; nothing was overwritten. */
  | { readonly type: 'changed' }
  /** A key did not fit or a permission is missing: the object may have changed as well, which only a look tells. */
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'archived' }
  /** The upstream did not say that it encrypted with the key. */
  | { readonly type: 'unproven' }
  | { readonly type: 'failed'; readonly reason: string }

/**
 * CopyObject of an object onto itself: no byte of it comes here. It depends on the ETag twice: the source must be what
 * was looked at, and so must be what is overwritten, at the moment of writing.
 *
 * @param loses headers that the upstream does not take over by itself
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export async function copyObject(
  access: UpstreamAccess,
  plan: CopyPlan,
  loses: readonly string[],
): Promise<CopyResult> {
  const { bucket, objectKey, head } = plan
  const described = copyHeaders(head, plan.now, loses)
  if (described['x-amz-metadata-directive'] === 'REPLACE' && head.has('x-amz-missing-meta')) {
    return { type: 'failed', reason: 'the upstream does not show all of its metadata, and would not keep all of it' }
  }
  const answer = await access.send({
    method: 'PUT',
    target: { type: 'object', bucket, objectKey },
    query: new Map(),
    headers: {
      ...described,
      ...plan.acl.headers,
      ...sourceHeaders(plan),
      ...targetHeaders(plan.target.key),
      'if-match': etagOf(head),
    },
    body: 'none',
  })
  const fault = faultIn('CopyObject', answer)
  if (fault !== 'none') return fault
  if (!isProven(access, answer, plan.target)) return { type: 'unproven' }
  return { type: 'copied', etag: textOf(readTree(answer.body, 'CopyObjectResult'), 'ETag') }
}

/** As the upstream writes it; `''` where it shows none. */
export const etagOf = (head: Fields): string => head.get('etag') ?? ''

/** Whether two ETags name the same bytes: some stores leave out the quotes in one place and not in another. */
export const isSameETag = (a: string, b: string): boolean => bare(a) === bare(b)

const bare = (etag: string): string => etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')

/** What opens the source, and the condition on it. */
export function sourceHeaders({ bucket, objectKey, source, head }: CopyPlan): Record<string, string> {
  return {
    'x-amz-copy-source': formatCopySource({ bucket, objectKey, version: { type: 'latest' } }),
    'x-amz-copy-source-if-match': etagOf(head),
    ...(source === 'plain' ? {} : copySourceHeaders(source.key)),
  }
}

/** What an answer says went wrong, inside a 200 too. Only codes are told: documents may quote what was signed. */
export function faultIn(what: string, { status, code, body }: MaintenanceAnswer): CopyResult | 'none' {
  if (status < 300 && code === 'none') {
    return body.includes('<Error>') ? { type: 'failed', reason: `${what}: an error inside a ${status}` } : 'none'
  }
  if (status === 412 || status === 409 || code === 'PreconditionFailed' || code === 'ConditionalRequestConflict') {
    return { type: 'changed' }
  }
  // An upload that is gone was completed by a request whose answer was lost, or aborted: a look at the object tells.
  if (code === 'NoSuchKey' || code === 'NoSuchUpload') return { type: 'changed' }
  if (code === 'InvalidObjectState') return { type: 'archived' }
  const type = status === 400 || status === 403 ? 'refused' : 'failed'
  return { type, reason: `${what}: ${code === 'none' ? '' : `${code}, `}status ${status}` }
}

/** Where the store's answers to copies prove nothing (`upstream.proof: read-back`), the HEAD behind them must. */
export function isProven(
  { proof }: Pick<UpstreamAccess, 'proof'>,
  { fields }: Pick<MaintenanceAnswer, 'fields'>,
  { key }: DataKey,
): boolean {
  const proven = provesEncryption(fields, customerKeyMD5(key))
  return proven === 'proven' || (proven === 'missing' && proof === 'read-back')
}

/** `<ChecksumCRC32>` and the like, as CompleteMultipartUpload wants them back. */
export function checksumsIn(bytes: Buffer, root: string): string {
  return readTree(bytes, root)
    .children.filter(({ name }) => /^Checksum(?!Type|Algorithm)[A-Z0-9]+$/.test(name))
    .map(({ name, text }) => `<${name}>${text}</${name}>`)
    .join('')
}
