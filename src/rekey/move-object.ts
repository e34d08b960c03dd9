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
import { hasGrants, planAcl } from './access-control.js'
import { copyObject, etagOf, isSameETag, type CopyPlan, type CopyResult } from './copy.js'
import { differences, keptOf, sizeOf } from './kept.js'
import { multipartCopy, type MultipartSettings } from './multipart-copy.js'
import { failed, type Failure, type LossyCopy, type Outcome, type RekeyCommand } from './outcome.js'
import { isProbe } from '../maintenance/throw-away.js'

export interface MoveSettings {
  readonly command: RekeyCommand
  readonly bucket: Bucket
  /** `keyring version` of what was active under the prefix when the run began. */
  readonly targets: ReadonlySet<string>
  readonly dryRun: boolean
  /** bytes; what is larger is copied in parts. CopyObject takes 5 GiB. */
  readonly singleCopyMax: number
  readonly multipart: MultipartSettings
  readonly tellsETag: boolean
  readonly loses: readonly string[]
  /** Called before every multipart copy; what it throws is the object's failure. */
  readonly beforeMultipart: () => Promise<{ readonly tellsETag: boolean }>
  readonly hint: Hint & { noted(look: Look): void }
  /** What is known of the copy that an earlier run has made. */
  readonly lossyCopy: (objectKey: ObjectKey) => LossyCopy | 'none'
  readonly now: () => Date
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
): Promise<Outcome | Superseded> {
  try {
    const { bucket } = settings
    if (isProbe(objectKey)) return { type: 'skipped', why: 'probe' }
    const reference = selectKeys(access.rules, bucket, objectKey)
    if (reference === 'no-rule') return { type: 'skipped', why: 'no-rule' }
    if (reference.type === 'plain') return { type: 'skipped', why: 'plain-rule' }
    const { bucketIdentity } = reference
    const scope = { bucket, bucketIdentity, objectKey, version: { type: 'latest' } } as const
    const active = await reference.keyring.forWrite(scope)
    if (!isTarget(settings.targets, active)) return { type: 'superseded', by: targetName(active) }
    return await moveInScope(access, { reference, scope, active }, settings)
  } catch (error) {
    if (error instanceof S3Error) return failed(`${error.code}: ${error.message}`)
    if (!(error instanceof MaintenanceError)) throw error
    return { ...failed(error.message), stop: error.cause instanceof UpstreamFailure }
  }
}

/** A key version became active that was pending when the run began: nothing was done to the object. */
export interface Superseded {
  readonly type: 'superseded'
  /** `keyring version` */
  readonly by: string
}

const targetName = ({ keyring, keyVersion }: DataKey): string => `${keyring} ${keyVersion}`

/** Of a keyring of single objects the targets have the name alone. */
const isTarget = (targets: ReadonlySet<string>, active: DataKey): boolean =>
  targets.has(targetName(active)) || targets.has(active.keyring)

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
    if (found !== 'copy') {
      if (tried !== 'none') return afterwards(found, look, tried, settings.now())
      return found.type === 'already' && look.type === 'key' ? lookAgain(access, scope, look.head, settings) : found
    }
    if (look.type !== 'key' && look.type !== 'plain') return failed('nothing to copy from')
    if (isArchived(look.head)) return { type: 'skipped', why: 'archived' }
    if (etagOf(look.head) === '') return failed('the upstream shows no ETag of it, which its copy could depend on')
    if (refusal !== 'none' && tried !== 'none' && etagOf(tried.head) === etagOf(look.head)) return failed(refusal)
    const bytes = sizeOf(look.head)
    if (settings.dryRun) return { type: 'moved', bytes }
    const acl = await planAcl(access, settings.multipart.acl, scope.bucket, scope.objectKey)
    if (acl === 'gone') return { type: 'skipped', why: 'gone' }
    const source = look.type === 'plain' ? 'plain' : look.dataKey
    const { bucket, objectKey } = scope
    const now = settings.now()
    const plan: CopyPlan = { bucket, objectKey, source, target: active, head: look.head, acl, now }
    const result = await copy(access, plan, bytes, settings)
    const done = await conclude(access, place, plan, result, settings)
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
function afterwards(found: Outcome, look: Look, { head: before }: CopyPlan, now: Date): Outcome {
  if (found.type === 'failed') return found
  const ours =
    found.type === 'already' &&
    look.type === 'key' &&
    differences(keptOf(before, now), keptOf(look.head, now)).length === 0
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
  settings: MoveSettings,
): Promise<CopyResult> {
  const isSingle = bytes <= settings.singleCopyMax
  const { tellsETag } = isSingle ? settings : await settings.beforeMultipart()
  const result = isSingle
    ? await copyObject(access, plan, settings.loses)
    : await multipartCopy(access, plan, settings.multipart)
  return result.type === 'copied' && !tellsETag ? { type: 'copied', etag: '' } : result
}

async function conclude(
  access: UpstreamAccess,
  place: Place,
  plan: CopyPlan,
  result: CopyResult,
  settings: MoveSettings,
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
      return verify(access, place, plan, result.etag, settings)
  }
}

const unproven = (what: string): Failure => ({
  ...failed(
    `${what}: look at this object at once, it may be stored in the clear. The upstream may not support SSE-C for copies`,
  ),
  stop: true,
})

/** Looks at the copy with exactly the active key: S3 shows it to nobody else. */
async function verify(
  access: UpstreamAccess,
  { scope, active, reference }: Place,
  { head: before, acl }: CopyPlan,
  etag: string,
  { now }: MoveSettings,
): Promise<Outcome | 'again'> {
  const moved = { type: 'moved', bytes: sizeOf(before) } as const
  const { status, fields } = await head(access, scope, active)
  if (status === 404) return moved
  if (status !== 200) {
    const look = await lookAt(access, reference, scope)
    return look.type === 'plain' ? unproven('the copy opens without a key') : 'again'
  }
  if (provesEncryption(fields, customerKeyMD5(active.key)) !== 'proven') return unproven('the copy shows no key')
  // A client has written it since, under the active key.
  if (etag !== '' && etagOf(fields) !== '' && !isSameETag(etagOf(fields), etag)) return moved
  const was = keptOf(before, now())
  const lost = differences(was, keptOf(fields, now()))
  const hasAcl = await hasGrants(access, acl.grants, scope.bucket, scope.objectKey)
  if (lost.length === 0 && hasAcl) return moved
  return lossy({
    etag: etagOf(fields),
    was: Object.fromEntries(lost.map((name) => [name, was[name] ?? ''])),
    grants: hasAcl ? 'usual' : acl.grants,
  })
}

/** A copy that has lost something shows its new key like any other: only the journal knows. */
async function lookAgain(
  access: UpstreamAccess,
  { bucket, objectKey }: ObjectScope,
  found: Fields,
  { lossyCopy, now }: MoveSettings,
): Promise<Outcome> {
  const copy = lossyCopy(objectKey)
  if (copy === 'none' || !isSameETag(copy.etag, etagOf(found))) return { type: 'already' }
  const is = keptOf(found, now())
  const lost = Object.entries(copy.was).filter(([name, was]) => (is[name] ?? '') !== was)
  const hasAcl = await hasGrants(access, copy.grants, bucket, objectKey)
  if (lost.length === 0 && hasAcl) return { type: 'moved', bytes: sizeOf(found) }
  return lossy({ ...copy, was: Object.fromEntries(lost), grants: hasAcl ? 'usual' : copy.grants })
}

function lossy(copy: LossyCopy): Outcome {
  const names = [...Object.keys(copy.was), ...(copy.grants === 'usual' ? [] : ['its ACL'])]
  return {
    ...failed(
      `it was copied, and the copy differs in ${names.join(', ')}. The journal tells what it was: mend it and run this ` +
        'again, or remove the journal if it is good as it is',
    ),
    copy,
  }
}
