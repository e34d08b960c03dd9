import type { DataKey, KeyReference } from '../keyring/port.js'
import type { MaintenanceAnswer, UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError, refusedBy } from '../maintenance/error.js'
import { probeName, randomKey, removeVersions, versionOf, type RandomBytes } from '../maintenance/throw-away.js'
import { type CustomerKey, customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import { S3Error } from '../s3/error.js'
import type { Bucket, ObjectKey } from '../s3/names.js'
import { about, type Finding } from './finding.js'

export interface RoundTrip {
  readonly access: Pick<UpstreamAccess, 'send'>
  readonly bucket: Bucket
  readonly prefix: string
  readonly reference: KeyReference & { readonly type: 'encrypted' }
  readonly randomBytes: RandomBytes
}

/**
 * Writes a small object under the active key, as the proxy would, and looks: did S3 say that it used the key, can the object be
 * read without it or with another one, does it come back with it? It is deleted again, whatever happened.
 */
export async function roundTrip(trip: RoundTrip): Promise<readonly Finding[]> {
  const { bucket, prefix, reference, randomBytes } = trip
  const finding = about('round trip', `s3://${bucket}/${prefix}`)
  const objectKey = probeName(prefix, randomBytes)
  const scope = { bucket, bucketIdentity: reference.bucketIdentity, objectKey, version: { type: 'latest' } } as const
  if (reference.keyring.type === 'objects')
    return [finding('skipped', `keyring ${reference.keyring.name} has keys of single objects and writes nothing`)]
  let dataKey: DataKey
  try {
    dataKey = await reference.keyring.forWrite(scope)
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    const detail = `keyring ${reference.keyring.name} gives no key for writing: ${error.code}`
    return [finding('failed', detail, 'see the finding about this keyring; for a keyring in KMS, its permissions')]
  }
  const content = randomBytes(64)
  const call = callerOf(trip, objectKey)
  const versions: string[] = []
  const found: Finding[] = []
  try {
    const put = await call('PUT', dataKey.key, content)
    if (put.status !== 200) return [finding('failed', refusedBy('PutObject with the key', put).message, FORBIDDEN)]
    versions.push(versionOf(put))
    found.push(await judge(finding, call, put, dataKey, content, randomBytes))
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    found.push(finding('failed', error.message))
    if (versions.length === 0) versions.push('null')
  } finally {
    found.push(...(await remove(trip, objectKey, versions)))
  }
  return found
}

const FORBIDDEN =
  'the findings about encryption, policy and credentials of this bucket may tell why; the credentials need s3:PutObject'

type Call = (method: 'PUT' | 'GET', key: CustomerKey | 'none', body?: Buffer) => Promise<MaintenanceAnswer>

const callerOf =
  ({ access, bucket }: RoundTrip, objectKey: ObjectKey): Call =>
  (method, key, body) =>
    access.send({
      method,
      target: { type: 'object', bucket, objectKey },
      query: new Map(),
      headers: key === 'none' ? {} : targetHeaders(key),
      body: body ?? 'none',
    })

async function judge(
  finding: ReturnType<typeof about>,
  call: Call,
  put: MaintenanceAnswer,
  { keyring, keyVersion, key }: DataKey,
  content: Buffer,
  randomBytes: RandomBytes,
): Promise<Finding> {
  const md5 = customerKeyMD5(key)
  const bad = (
    detail: string,
    remedy = 'use another store, or ask its maker: the proxy refuses what this one answers',
  ) => finding('failed', detail, remedy)
  const bare = await call('GET', 'none')
  if (bare.status === 200) return bad('the store ignores customer keys: the object can be read without')
  if (provesEncryption(put.fields, md5) !== 'proven')
    return bad('the store does not confirm the key that it was given (PutObject)')
  const wrong = await call('GET', randomKey(randomBytes))
  if (wrong.status === 200) return bad('the store ignores which key it is given: another one opens the object')
  const read = await call('GET', key)
  if (read.status !== 200)
    return bad(refusedBy('GetObject with the key', read).message, 'the credentials need s3:GetObject')
  if (provesEncryption(read.fields, md5) !== 'proven')
    return bad('the store does not confirm the key that it was given (GetObject)')
  if (!read.body.equals(content)) return bad('what comes back is not what was written')
  return finding('ok', `written with key version ${keyVersion} of ${keyring}, unreadable without it, read back`)
}

async function remove(
  { access, bucket, prefix }: RoundTrip,
  objectKey: ObjectKey,
  versions: readonly string[],
): Promise<readonly Finding[]> {
  const left = await removeVersions(access, bucket, objectKey, versions).catch((error: unknown) => {
    if (!(error instanceof MaintenanceError)) throw error
    return versions
  })
  if (left.length === 0) return []
  const finding = about('round trip', `s3://${bucket}/${prefix}`)
  const detail = `the object that was written could not be deleted: ${JSON.stringify(objectKey)}`
  return [finding('warning', detail, 'delete it; s3:DeleteObject (and s3:DeleteObjectVersion) lets the next run do so')]
}
