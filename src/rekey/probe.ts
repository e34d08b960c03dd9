import type { KeyObject } from 'node:crypto'
import type { DataKey } from '../keyring/port.js'
import type { MaintenanceAnswer, UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError, refusedBy } from '../maintenance/error.js'
import { head } from '../maintenance/look.js'
import { notWritable, probeName, randomKey, removeVersions, versionOf } from '../maintenance/throw-away.js'
import { readTree, textOf } from '../maintenance/xml-tree.js'
import { copySourceHeaders, customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import { formatCopySource } from '../s3/copy-source.js'
import type { Fields } from '../s3/fields.js'
import type { Bucket, ObjectKey } from '../s3/names.js'
import { escapeXml } from '../s3/xml-text.js'
import { readGrants, type Grants } from './access-control.js'
import { etagOf, isSameETag } from './copy.js'

/**
 * What the upstream does for a command. `guarded`: it honours `If-Match` on what a copy overwrites, so that a client's
 * write is never overwritten with what was there before.
 */
export interface StoreTraits {
  readonly guarded: boolean
  /** The ETag in its answer to a copy is the one that HEAD shows of the copy. */
  readonly tellsETag: boolean
  /** Headers that describe an object and that CopyObject does not take over by itself. */
  readonly loses: readonly string[]
  /** What a copy is granted that is not told anything; `none` where the store knows no ACLs, or it was not asked. */
  readonly usualGrants: Grants | 'none'
  /** Names of probe objects that could not be removed. */
  readonly left: readonly string[]
}

const CONTENT = Buffer.from('ssec-proxy probe')
const DESCRIPTION = {
  'cache-control': 'no-store',
  'content-disposition': 'attachment',
  'content-language': 'en',
  'content-type': 'text/plain',
  expires: 'Wed, 25 Nov 2037 02:00:00 GMT',
  'x-amz-meta-ssec-proxy': 'probe',
}
const OTHER_ETAG = '"00000000000000000000000000000000"'

export interface Probe {
  readonly access: UpstreamAccess
  readonly bucket: Bucket
  readonly prefix: string
  readonly randomBytes: (size: number) => Buffer
  readonly way: 'single' | 'multipart'
  readonly acl: 'look' | 'ignore'
}

/**
 * Tries the copies on an object of its own, under random keys, before any object of the user is touched: a store that
 * ignores the target's key would replace an encrypted object by one in the clear, and one that ignores conditions would
 * overwrite what clients write. The object is removed in the end.
 *
 * @throws MaintenanceError where the upstream cannot do it
 */
export async function probeStore(probe: Probe): Promise<StoreTraits> {
  const { access, bucket, prefix, randomBytes, way } = probe
  const objectKey = probeName(prefix, randomBytes)
  const old = randomKey(randomBytes)
  const fresh = randomKey(randomBytes)
  const versions = new Set<string>()
  const note = (answer: MaintenanceAnswer) => void versions.add(versionOf(answer))
  const remove = async () => (await removeVersions(access, bucket, objectKey, versions)).map(() => objectKey)
  const made = await access.send({
    method: 'PUT',
    target: { type: 'object', bucket, objectKey },
    query: new Map(),
    headers: { ...DESCRIPTION, ...targetHeaders(old) },
    body: CONTENT,
  })
  if (made.status !== 200) throw notWritable(made)
  note(made)
  try {
    const etag = made.fields.get('etag') ?? ''
    if (etag === '') throw new MaintenanceError('the upstream gives no ETag, which a copy could depend on')
    const { fields: description } = await headOf({ access, bucket, objectKey }, old)
    const at = { access, bucket, objectKey, old, fresh, etag, description, note }
    const tried = way === 'single' ? await probeCopy(at) : await probeMultipart(at)
    const grants = probe.acl === 'look' ? await readGrants(access, bucket, objectKey) : 'none'
    const left = await remove()
    return { ...tried, usualGrants: grants === 'gone' ? 'none' : grants, left }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Trial {
  readonly access: UpstreamAccess
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  readonly old: KeyObject
  readonly fresh: KeyObject
  readonly etag: string
  /** What HEAD says of it before the copy. */
  readonly description: Fields
  readonly note: (answer: MaintenanceAnswer) => void
}

type Tried = Pick<StoreTraits, 'guarded' | 'tellsETag' | 'loses'>

async function probeCopy(at: Trial): Promise<Tried> {
  const copyIf = async (source: string, target: string): Promise<{ readonly etag: string } | 'refused'> => {
    const answer = await at.access.send({
      method: 'PUT',
      target: { type: 'object', bucket: at.bucket, objectKey: at.objectKey },
      query: new Map(),
      headers: { ...sourceOf(at, source), ...targetHeaders(at.fresh), 'if-match': target },
      body: 'none',
    })
    if (isRefusedByCondition(answer)) return 'refused'
    checkCopied('CopyObject', answer, at)
    at.note(answer)
    return { etag: textOf(readTree(answer.body, 'CopyObjectResult'), 'ETag') }
  }
  const heedless = await copyIf(OTHER_ETAG, at.etag)
  if (heedless !== 'refused') return checkStored(at, false, heedless.etag)
  const unguarded = await copyIf(at.etag, OTHER_ETAG)
  if (unguarded !== 'refused') return checkStored(at, false, unguarded.etag)
  const copied = await copyIf(at.etag, at.etag)
  if (copied === 'refused') throw new MaintenanceError('the upstream refuses every conditional CopyObject')
  return checkStored(at, true, copied.etag)
}

async function probeMultipart(at: Trial): Promise<Tried> {
  const target = { type: 'object', bucket: at.bucket, objectKey: at.objectKey } as const
  const created = await at.access.send({
    method: 'POST',
    target,
    query: new Map([['uploads', '']]),
    headers: targetHeaders(at.fresh),
    body: 'none',
  })
  checkCopied('CreateMultipartUpload', created, at)
  const uploadId = textOf(readTree(created.body, 'InitiateMultipartUploadResult'), 'UploadId')
  const part = async (etag: string) =>
    at.access.send({
      method: 'PUT',
      target,
      query: new Map([
        ['partNumber', '1'],
        ['uploadId', uploadId],
      ]),
      headers: { ...sourceOf(at, etag), ...targetHeaders(at.fresh) },
      body: 'none',
    })
  const completeIf = async (partEtag: string, etag: string) =>
    at.access.send({
      method: 'POST',
      target,
      query: new Map([['uploadId', uploadId]]),
      headers: { ...targetHeaders(at.fresh), 'if-match': etag },
      body: Buffer.from(
        `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${escapeXml(partEtag)}</ETag></Part></CompleteMultipartUpload>`,
      ),
    })
  const guardsSource = isRefusedByCondition(await part(OTHER_ETAG))
  const copied = await part(at.etag)
  checkCopied('UploadPartCopy', copied, at)
  const partEtag = textOf(readTree(copied.body, 'CopyPartResult'), 'ETag')
  const early = await completeIf(partEtag, OTHER_ETAG)
  const guardsTarget = isRefusedByCondition(early)
  const last = guardsTarget ? await completeIf(partEtag, at.etag) : early
  if (last.status !== 200 || last.code !== 'none') throw refusedBy('CompleteMultipartUpload of a probe', last)
  at.note(last)
  return checkStored(
    at,
    guardsSource && guardsTarget,
    textOf(readTree(last.body, 'CompleteMultipartUploadResult'), 'ETag'),
  )
}

const sourceOf = ({ bucket, objectKey, old }: Trial, etag: string) => ({
  'x-amz-copy-source': formatCopySource({ bucket, objectKey, version: { type: 'latest' } }),
  'x-amz-copy-source-if-match': etag,
  ...copySourceHeaders(old),
})

const isRefusedByCondition = ({ status, code }: MaintenanceAnswer): boolean =>
  status === 412 || code === 'PreconditionFailed'

/** The copy was carried out, and under the key, as far as the answer can tell. */
function checkCopied(what: string, answer: MaintenanceAnswer, { access, fresh }: Trial): void {
  if (answer.status === 501 || answer.code === 'NotImplemented') throw new MaintenanceError(CANNOT_COPY)
  if (answer.status !== 200 || answer.code !== 'none')
    throw refusedBy(`${what} of a probe, under a customer key`, answer)
  const proof = provesEncryption(answer.fields, customerKeyMD5(fresh))
  if (proof === 'proven' || (proof === 'missing' && access.proof === 'read-back')) return
  throw new MaintenanceError(
    `the upstream answers ${what} without a proof of encryption. If it encrypts nevertheless (MinIO does), set upstream.proof: read-back`,
  )
}

const CANNOT_COPY =
  'the upstream cannot copy objects that are under a customer key (CopyObject: NotImplemented, as Ceph radosgw 16 answers). ' +
  'No object was touched. Download and upload the objects through the proxy with a client instead'

/** How the copy is really stored. */
async function checkStored(at: Trial, guarded: boolean, etag: string): Promise<Tried> {
  const seen = await headOf(at, at.fresh)
  const isStored = seen.status === 200 && provesEncryption(seen.fields, customerKeyMD5(at.fresh)) === 'proven'
  const bare = await headOf(at, 'plain')
  if (isStored && bare.status !== 200 && seen.fields.get('content-length') === String(CONTENT.length)) {
    const loses = Object.keys(DESCRIPTION).filter((name) => seen.fields.get(name) !== at.description.get(name))
    return { guarded, tellsETag: etag !== '' && isSameETag(etag, etagOf(seen.fields)), loses }
  }
  throw new MaintenanceError(
    bare.status === 200
      ? 'the upstream does not store copies under the customer key that it is given: a copy would be in the clear. No object was touched'
      : `nobody can open what the upstream makes of a copy onto itself, with the new key (HEAD: ${seen.status}) or without ` +
          '(MinIO does that in buckets with versions). No object was touched',
  )
}

function headOf(
  { access, bucket, objectKey }: Pick<Trial, 'access' | 'bucket' | 'objectKey'>,
  key: KeyObject | 'plain',
) {
  const scope = { bucket, bucketIdentity: bucket, objectKey, version: { type: 'latest' } } as const
  const dataKey: DataKey | 'plain' = key === 'plain' ? key : { keyring: 'probe', keyVersion: 'probe', key }
  return head(access, scope, dataKey)
}
