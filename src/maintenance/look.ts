import type { KeyMemory } from '../keyring/cached.js'
import { candidateKey, readAttempts, type Candidate } from '../keyring/candidates.js'
import type { DataKey, KeyReference, ObjectScope } from '../keyring/port.js'
import { customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import type { Fields } from '../s3/fields.js'
import type { UpstreamAccess } from './access.js'
import { refusedBy } from './error.js'

/** How an object is stored, as HEAD told. */
export type Look =
  | { readonly type: 'key'; readonly dataKey: DataKey; readonly head: Fields }
  /** Without a customer key, whatever the rule says of that. */
  | { readonly type: 'plain'; readonly head: Fields }
  /** It is there, and none of the keys of its rule opens it. */
  | { readonly type: 'locked' }
  /** The upstream does not even say whether it is encrypted: the credentials may not read it. */
  | { readonly type: 'denied' }
  /** There is no such object, or the version is a delete marker. */
  | { readonly type: 'gone' }

/** What fitted before, so that it is tried first; see {@link lookAt}. */
export type Hint = Pick<KeyMemory, 'get'>

/** The proxy's own order. */
export const NO_HINT: Hint = { get: () => 'unknown' }

/**
 * Finds out with HEAD which key version opens an object: the candidates of its rule in the proxy's order, then no key at
 * all, and the key that writes take once more, for it may have been written anew meanwhile. A 200 that does not name the
 * key is a plain object (stores that ignore keys of plain objects).
 *
 * @throws MaintenanceError where the upstream gives no answer; S3Error where a key service refuses or is away
 */
export async function lookAt(
  access: Pick<UpstreamAccess, 'send'>,
  reference: KeyReference,
  scope: ObjectScope,
  hint: Hint = NO_HINT,
): Promise<Look> {
  let isDenied = false
  for (const candidate of candidatesOf(reference, scope, hint)) {
    const dataKey = await keyOf(reference, scope, candidate)
    if (dataKey === 'unknown') continue
    const { status, fields, code } = await head(access, scope, dataKey)
    if (status === 404 || status === 405) return { type: 'gone' }
    if (status === 200) {
      const isOpen = dataKey !== 'plain' && provesEncryption(fields, customerKeyMD5(dataKey.key)) === 'proven'
      return isOpen ? { type: 'key', dataKey, head: fields } : { type: 'plain', head: fields }
    }
    if (status !== 400 && status !== 403)
      throw refusedBy(`looking at ${JSON.stringify(scope.objectKey)}`, { status, code })
    // Without a key S3 answers 400 to whoever may read the object, and 403 to everybody else.
    if (dataKey === 'plain') isDenied = status === 403
  }
  return { type: isDenied ? 'denied' : 'locked' }
}

/** HEAD with exactly this key, or with none. */
export function head(access: Pick<UpstreamAccess, 'send'>, scope: ObjectScope, dataKey: DataKey | 'plain') {
  const { bucket, objectKey, version } = scope
  return access.send({
    method: 'HEAD',
    target: { type: 'object', bucket, objectKey },
    query: new Map(version.type === 'id' ? [['versionId', version.versionId]] : []),
    headers: { 'x-amz-checksum-mode': 'ENABLED', ...(dataKey === 'plain' ? {} : targetHeaders(dataKey.key)) },
    body: 'none',
  })
}

/** No key is always among them: that tells plain objects, and permission, apart. */
function candidatesOf(reference: KeyReference, scope: ObjectScope, hint: Hint): readonly Candidate[] {
  return readAttempts(reference.type === 'plain' ? reference : { ...reference, plaintext: 'allow' }, scope, hint)
}

async function keyOf(
  reference: KeyReference,
  scope: ObjectScope,
  candidate: Candidate,
): Promise<DataKey | 'plain' | 'unknown'> {
  if (candidate.type === 'plain' || reference.type === 'plain') return 'plain'
  return candidateKey(reference, scope, candidate)
}
