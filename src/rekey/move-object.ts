import type { DataKey, KeyReference, ObjectScope } from '../keyring/port.js'
import { selectKeys } from '../keyring/select.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import { head, lookAt, type Hint, type Look } from '../maintenance/look.js'
import { customerKeyMD5, provesEncryption } from '../s3/customer-key.js'
import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import type { Bucket, ObjectKey } from '../s3/names.js'
import { UpstreamFailure } from '../upstream/types.js'
import { grantHeaders, type AclPolicy } from './access-control.js'
import { copyObject, etagOf, type CopyPlan, type CopyResult } from './copy.js'
import { differences, sizeOf } from './kept.js'
import { multipartCopy, type MultipartSettings } from './multipart-copy.js'
import { failed, type Outcome, type RekeyCommand } from './outcome.js'
import { isProbe } from './probe.js'

export interface MoveSettings {
  readonly command: RekeyCommand
  readonly bucket: Bucket
  readonly acl: AclPolicy
  readonly dryRun: boolean
  /** bytes; what is larger is copied in parts. CopyObject takes 5 GiB. */
  readonly singleCopyMax: number
  readonly multipart: MultipartSettings
  /** Called before the first multipart copy; what it throws ends the run. */
  readonly beforeMultipart: () => Promise<void>
  readonly hint: Hint & { noted(look: Look): void }
}

/** A client may write an object as often as it likes; then it is its turn to be under the active version. */
const ATTEMPTS = 4

/**
 * Moves one object to the active key version of its rule, or says why not. Whatever a client does to the object
 * meanwhile stands: the copy depends on the ETag that was looked at.
 */
export async function moveObject(
  access: UpstreamAccess,
  objectKey: ObjectKey,
  settings: MoveSettings,
): Promise<Outcome> {
  try {
    const { bucket } = settings
    if (isProbe(objectKey)) return { type: 'skipped', why: 'probe' }
    const reference = selectKeys(access.rules, bucket, objectKey)
    if (reference === 'no-rule') return { type: 'skipped', why: 'no-rule' }
    if (reference.type === 'plain') return { type: 'skipped', why: 'plain-rule' }
    const { bucketIdentity } = reference
    const scope = { bucket, bucketIdentity, objectKey, version: { type: 'latest' } } as const
    return await moveInScope(access, { reference, scope, active: await reference.keyring.forWrite(scope) }, settings)
  } catch (error) {
    if (error instanceof S3Error) return failed(`${error.code}: ${error.message}`)
    if (!(error instanceof MaintenanceError)) throw error
    return { type: 'failed', reason: error.message, stop: error.cause instanceof UpstreamFailure }
  }
}

interface Place {
  readonly reference: Extract<KeyReference, { type: 'encrypted' }>
  readonly scope: ObjectScope
  readonly active: DataKey
}

async function moveInScope(access: UpstreamAccess, place: Place, settings: MoveSettings): Promise<Outcome> {
  const { reference, scope, active } = place
  let tried: CopyPlan | 'none' = 'none'
  let refusal: string | 'none' = 'none'
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const look = await lookAt(access, reference, scope, settings.hint)
    settings.hint.noted(look)
    const found = decide(look, place, settings)
    if (found !== 'copy') return tried === 'none' ? found : afterwards(found, look, tried)
    if (look.type !== 'key' && look.type !== 'plain') return failed('nothing to copy from')
    if (isArchived(look.head)) return { type: 'skipped', why: 'archived' }
    if (refusal !== 'none' && tried !== 'none' && etagOf(tried.head) === etagOf(look.head)) return failed(refusal)
    const bytes = sizeOf(look.head)
    if (settings.dryRun) return { type: 'moved', bytes }
    const grants = settings.acl === 'keep' ? await grantHeaders(access, scope.bucket, scope.objectKey) : {}
    if (grants === 'gone') return { type: 'skipped', why: 'gone' }
    const source = look.type === 'plain' ? 'plain' : look.dataKey
    const { bucket, objectKey } = scope
    const plan: CopyPlan = { bucket, objectKey, source, target: active, head: look.head, grants }
    const result = await copy(access, plan, bytes, settings)
    const done = await conclude(access, place, plan, result)
    if (done !== 'again') return done
    tried = plan
    refusal = result.type === 'refused' ? result.reason : 'none'
  }
  return failed('clients wrote it again each time that it was to be copied, and not under the active key version')
}

function decide(look: Look, { reference, active }: Place, { command }: MoveSettings): Outcome | 'copy' {
  switch (look.type) {
    case 'gone':
      return { type: 'skipped', why: 'gone' }
    case 'denied':
      return failed('the upstream refuses to show it (HEAD: 403): the credentials may not read it')
    case 'locked':
      if (reference.clientKeys === 'relay') return { type: 'skipped', why: 'client-key' }
      return failed('it is encrypted, and no key of its rule opens it')
    case 'plain':
      return command === 'encrypt' ? 'copy' : { type: 'skipped', why: 'plain' }
    case 'key':
      return command === 'encrypt' || isSameKey(look.dataKey, active) ? { type: 'already' } : 'copy'
  }
}

const isSameKey = (a: DataKey, b: DataKey) => a.keyring === b.keyring && a.keyVersion === b.keyVersion

/** The copy was refused, because a client was faster, or because its own answer was lost and it was sent twice. */
function afterwards(found: Outcome, look: Look, { head: before }: CopyPlan): Outcome {
  if (found.type === 'failed') return found
  const ours = found.type === 'already' && look.type === 'key' && differences(before, look.head).length === 0
  return ours ? { type: 'moved', bytes: sizeOf(before) } : { type: 'changed' }
}

/** GLACIER and DEEP_ARCHIVE without a restored copy, and the archive tiers of INTELLIGENT_TIERING. */
function isArchived(fields: Fields): boolean {
  const storageClass = fields.get('x-amz-storage-class') ?? ''
  const restored = (fields.get('x-amz-restore') ?? '').includes('ongoing-request="false"')
  return (['GLACIER', 'DEEP_ARCHIVE'].includes(storageClass) || fields.has('x-amz-archive-status')) && !restored
}

async function copy(
  access: UpstreamAccess,
  plan: CopyPlan,
  bytes: number,
  { singleCopyMax, multipart, beforeMultipart }: MoveSettings,
): Promise<CopyResult> {
  if (bytes <= singleCopyMax) return copyObject(access, plan)
  await beforeMultipart()
  return multipartCopy(access, plan, multipart)
}

async function conclude(
  access: UpstreamAccess,
  place: Place,
  plan: CopyPlan,
  result: CopyResult,
): Promise<Outcome | 'again'> {
  switch (result.type) {
    case 'changed':
    case 'refused':
      return 'again'
    case 'archived':
      return { type: 'skipped', why: 'archived' }
    case 'failed':
      return failed(result.reason)
    case 'unproven':
      return unproven('the upstream did not confirm that the copy is encrypted')
    case 'copied':
      return verify(access, place, plan, result.etag)
  }
}

const unproven = (what: string): Outcome => ({
  type: 'failed',
  reason: `${what}: look at this object at once, it may be stored in the clear. The upstream may not support SSE-C for copies`,
  stop: true,
})

/** Looks at the copy with exactly the active key: S3 shows it to nobody else. */
async function verify(
  access: UpstreamAccess,
  { scope, active, reference }: Place,
  { head: before }: CopyPlan,
  etag: string,
): Promise<Outcome | 'again'> {
  const bytes = sizeOf(before)
  const { status, fields } = await head(access, scope, active)
  if (status === 404) return { type: 'moved', bytes }
  if (status !== 200) {
    const look = await lookAt(access, reference, scope)
    return look.type === 'plain' ? unproven('the copy opens without a key') : 'again'
  }
  if (provesEncryption(fields, customerKeyMD5(active.key)) !== 'proven') return unproven('the copy shows no key')
  // A client has written it since, under the active key.
  if (etagOf(fields) !== etag) return { type: 'moved', bytes }
  const changed = differences(before, fields)
  if (changed.length === 0) return { type: 'moved', bytes }
  return failed(`it was copied, and the copy differs in ${changed.join(', ')}`)
}
