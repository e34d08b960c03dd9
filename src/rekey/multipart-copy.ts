import { createHash } from 'node:crypto'
import type { UpstreamAccess } from '../maintenance/access.js'
import { head } from '../maintenance/look.js'
import { childrenOf, readTree, textOf } from '../maintenance/xml-tree.js'
import { targetHeaders } from '../s3/customer-key.js'
import { encodeQueryPart } from '../s3/encode.js'
import { escapeXml } from '../s3/xml-text.js'
import { checksumsIn, etagOf, faultIn, isProven, sourceHeaders, type CopyPlan, type CopyResult } from './copy.js'
import { planAcl, type AclPolicy } from './access-control.js'
import { inForce, sizeOf, uploadHeaders, wholeChecksum } from './kept.js'

/** An upload that is under way: enough to go on with it, or to abort it, after a kill. */
export interface NotedUpload {
  readonly uploadId: string
  /** of the source */
  readonly etag: string
  /** `keyring version` that it was created with */
  readonly target: string
  /** bytes */
  readonly partSize: number
  /** SHA-256, in hex, of the headers that it was created with: they say all that the copy keeps. */
  readonly kept: string
}

/** Where uploads are noted, on the disk before the first part. */
export interface UploadNotes {
  find(objectKey: string): NotedUpload | 'none'
  begun(objectKey: string, upload: NotedUpload): void
  over(objectKey: string): void
}

export interface MultipartSettings {
  /** bytes; made larger where an object would have more than 10,000 parts */
  readonly partSize: number
  readonly notes: UploadNotes
  readonly limit: <T>(run: () => Promise<T>) => Promise<T>
  /** Whether the command was told to stop: what runs is finished, and the upload stays for the next run. */
  readonly isStopping: () => boolean
  readonly acl: AclPolicy
}

const MAX_PARTS = 10_000

interface Part {
  readonly partNumber: number
  readonly etag: string
  readonly checksums: string
}

/**
 * Copies an object that is too large for CopyObject onto itself, with UploadPartCopy. Every part depends on the source's
 * ETag, and the completion on what it overwrites. An upload that an earlier run began from the same source goes on.
 */
export async function multipartCopy(
  access: UpstreamAccess,
  plan: CopyPlan,
  settings: MultipartSettings,
): Promise<CopyResult> {
  const { notes } = settings
  const size = sizeOf(plan.head)
  const partSize = Math.max(settings.partSize, Math.ceil(size / MAX_PARTS))
  const opened = await openUpload(access, plan, partSize, notes)
  if (opened.type !== 'open') return opened
  const { uploadId, parts, kept } = opened
  const copied = await copyParts(access, plan, { uploadId, parts, size, partSize }, settings)
  const result =
    copied === 'complete' && !(await isStillKept(access, plan, settings.acl, kept))
      ? { type: 'changed' as const }
      : copied
  const last = result === 'complete' ? await complete(access, plan, uploadId, parts) : result
  if (last.type === 'failed' && last.reason === STOPPED) return last
  if (last.type !== 'copied') await abortUpload(access, plan, uploadId)
  notes.over(plan.objectKey)
  return last
}

export const STOPPED = 'stopped before it was whole; the next run goes on with it'

type Opened =
  | {
      readonly type: 'open'
      readonly uploadId: string
      readonly parts: Map<number, Part>
      readonly kept: string
    }
  | CopyResult

async function openUpload(
  access: UpstreamAccess,
  plan: CopyPlan,
  partSize: number,
  notes: UploadNotes,
): Promise<Opened> {
  const described = await describing(access, plan)
  if (described.type !== 'headers') return described
  const { headers } = described
  const kept = digestOf(headers)
  const noted = notes.find(plan.objectKey)
  const target = `${plan.target.keyring} ${plan.target.keyVersion}`
  if (noted !== 'none') {
    const fits =
      noted.etag === etagOf(plan.head) && noted.partSize === partSize && noted.target === target && noted.kept === kept
    const parts = fits ? await listParts(access, plan, noted.uploadId) : 'gone'
    if (parts !== 'gone') return { type: 'open', uploadId: noted.uploadId, parts, kept }
    await abortUpload(access, plan, noted.uploadId)
    notes.over(plan.objectKey)
  }
  if (plan.head.has('x-amz-missing-meta')) {
    return { type: 'failed', reason: 'S3 does not show all of its metadata, so a multipart copy cannot keep it' }
  }
  const answer = await ask(access, plan, 'POST', new Map([['uploads', '']]), {
    ...inForce(headers, plan.now),
    ...targetHeaders(plan.target.key),
  })
  const fault = faultIn('CreateMultipartUpload', answer)
  if (fault !== 'none') return fault
  const uploadId = textOf(readTree(answer.body, 'InitiateMultipartUploadResult'), 'UploadId')
  if (uploadId === '') return { type: 'failed', reason: 'CreateMultipartUpload gave no upload id' }
  notes.begun(plan.objectKey, { uploadId, etag: etagOf(plan.head), target, partSize, kept })
  if (isProven(access, answer, plan.target)) return { type: 'open', uploadId, parts: new Map(), kept }
  await abortUpload(access, plan, uploadId)
  notes.over(plan.objectKey)
  return { type: 'unproven' }
}

/** What the copy must be told of itself when its upload is created: metadata, locks, tags and grants. */
async function describing(access: UpstreamAccess, plan: CopyPlan): Promise<Tagging> {
  const tags = await taggingHeader(access, plan)
  if (tags.type !== 'headers') return tags
  return { type: 'headers', headers: { ...uploadHeaders(plan.head), ...tags.headers, ...plan.acl.headers } }
}

const digestOf = (headers: Readonly<Record<string, string>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(headers).sort()))
    .digest('hex')

/**
 * Whether the source is still described as it was when the upload was created. Tags, grants, a retention and a legal
 * hold change without a new ETag, parts take hours, and an upload that goes on after a kill may be days old.
 */
async function isStillKept(access: UpstreamAccess, plan: CopyPlan, policy: AclPolicy, kept: string): Promise<boolean> {
  const { bucket, objectKey, source } = plan
  const scope = { bucket, bucketIdentity: bucket, objectKey, version: { type: 'latest' } } as const
  const { status, fields } = await head(access, scope, source)
  if (status !== 200 || etagOf(fields) !== etagOf(plan.head)) return false
  const acl = await planAcl(access, policy, bucket, objectKey)
  if (acl === 'gone') return false
  const now = await describing(access, { ...plan, head: fields, acl })
  return now.type === 'headers' && digestOf(now.headers) === kept
}

type Tagging = { readonly type: 'headers'; readonly headers: Readonly<Record<string, string>> } | CopyResult

async function taggingHeader(access: UpstreamAccess, plan: CopyPlan): Promise<Tagging> {
  if (plan.head.get('x-amz-tagging-count') === '0') return { type: 'headers', headers: {} }
  const answer = await ask(access, plan, 'GET', new Map([['tagging', '']]))
  if (answer.status === 501) return { type: 'headers', headers: {} }
  const fault = faultIn('GetObjectTagging', answer)
  if (fault !== 'none') return fault
  const tags = childrenOf(readTree(answer.body, 'Tagging'), 'TagSet').flatMap((set) => childrenOf(set, 'Tag'))
  const pairs = tags.map((tag) => [textOf(tag, 'Key'), textOf(tag, 'Value')].map(encodeQueryPart).join('='))
  return { type: 'headers', headers: pairs.length === 0 ? {} : { 'x-amz-tagging': pairs.join('&') } }
}

interface Upload {
  readonly uploadId: string
  readonly parts: Map<number, Part>
  readonly size: number
  readonly partSize: number
}

async function copyParts(
  access: UpstreamAccess,
  plan: CopyPlan,
  { uploadId, parts, size, partSize }: Upload,
  { limit, isStopping }: MultipartSettings,
): Promise<CopyResult | 'complete'> {
  const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => i + 1).filter((n) => !parts.has(n))
  const faults: CopyResult[] = []
  const copyPart = async (partNumber: number): Promise<void> => {
    if (faults.length > 0) return
    if (isStopping()) {
      faults.push({ type: 'failed', reason: STOPPED })
      return
    }
    const first = (partNumber - 1) * partSize
    const answer = await ask(
      access,
      plan,
      'PUT',
      new Map([
        ['partNumber', String(partNumber)],
        ['uploadId', uploadId],
      ]),
      {
        ...sourceHeaders(plan),
        ...targetHeaders(plan.target.key),
        'x-amz-copy-source-range': `bytes=${first}-${Math.min(first + partSize, size) - 1}`,
      },
    )
    const wrong = faultIn('UploadPartCopy', answer)
    if (wrong !== 'none') faults.push(wrong)
    else if (!isProven(access, answer, plan.target)) faults.push({ type: 'unproven' })
    else {
      const etag = textOf(readTree(answer.body, 'CopyPartResult'), 'ETag')
      parts.set(partNumber, { partNumber, etag, checksums: checksumsIn(answer.body, 'CopyPartResult') })
    }
  }
  await Promise.all(numbers.map((partNumber) => limit(() => copyPart(partNumber))))
  return faults[0] ?? 'complete'
}

async function complete(
  access: UpstreamAccess,
  plan: CopyPlan,
  uploadId: string,
  parts: ReadonlyMap<number, Part>,
): Promise<CopyResult> {
  const listed = [...parts.values()]
    .sort((a, b) => a.partNumber - b.partNumber)
    .map(
      ({ partNumber, etag, checksums }) =>
        `<Part><PartNumber>${partNumber}</PartNumber><ETag>${escapeXml(etag)}</ETag>${checksums}</Part>`,
    )
  const whole = wholeChecksum(plan.head)
  const answer = await access.send({
    method: 'POST',
    target: { type: 'object', bucket: plan.bucket, objectKey: plan.objectKey },
    query: new Map([['uploadId', uploadId]]),
    headers: {
      ...targetHeaders(plan.target.key),
      'if-match': etagOf(plan.head),
      // S3 itself compares what was copied with what the source's checksum says.
      ...(whole === 'none'
        ? {}
        : { [`x-amz-checksum-${whole.algorithm}`]: whole.value, 'x-amz-checksum-type': whole.type }),
    },
    body: Buffer.from(`<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`),
  })
  const fault = faultIn('CompleteMultipartUpload', answer)
  if (fault !== 'none') return fault
  return { type: 'copied', etag: textOf(readTree(answer.body, 'CompleteMultipartUploadResult'), 'ETag') }
}

async function listParts(
  access: UpstreamAccess,
  plan: CopyPlan,
  uploadId: string,
): Promise<Map<number, Part> | 'gone'> {
  const parts = new Map<number, Part>()
  for (let marker = '0'; ;) {
    const query = new Map([
      ['uploadId', uploadId],
      ['part-number-marker', marker],
    ])
    const answer = await ask(access, plan, 'GET', query, targetHeaders(plan.target.key))
    if (answer.status !== 200) return 'gone'
    const root = readTree(answer.body, 'ListPartsResult')
    for (const part of childrenOf(root, 'Part')) {
      const partNumber = Number(textOf(part, 'PartNumber'))
      const checksums = part.children
        .filter(({ name }) => name.startsWith('Checksum'))
        .map(({ name, text }) => `<${name}>${text}</${name}>`)
      parts.set(partNumber, { partNumber, etag: textOf(part, 'ETag'), checksums: checksums.join('') })
    }
    const next = textOf(root, 'NextPartNumberMarker')
    if (textOf(root, 'IsTruncated') !== 'true' || next === marker) return parts
    marker = next
  }
}

/** Parts of an upload cost storage until somebody does this; its failure changes nothing about the objects. */
export async function abortUpload(
  access: UpstreamAccess,
  at: Pick<CopyPlan, 'bucket' | 'objectKey'>,
  uploadId: string,
): Promise<void> {
  await ask(access, at, 'DELETE', new Map([['uploadId', uploadId]]))
}

function ask(
  access: UpstreamAccess,
  { bucket, objectKey }: Pick<CopyPlan, 'bucket' | 'objectKey'>,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  query: ReadonlyMap<string, string>,
  headers: Readonly<Record<string, string>> = {},
) {
  return access.send({ method, target: { type: 'object', bucket, objectKey }, query, headers, body: 'none' })
}
