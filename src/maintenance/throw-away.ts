import type { KeyObject } from 'node:crypto'
import { keyFromBytes } from '../keyring/key-bytes.js'
import { type Bucket, type ObjectKey, parseObjectKey } from '../s3/names.js'
import type { MaintenanceAnswer, UpstreamAccess } from './access.js'
import { MaintenanceError, refusedBy } from './error.js'

const NAME = /\.ssec-proxy-probe-[0-9a-f]{32}$/

/** Gives `size` random bytes. */
export type RandomBytes = (size: number) => Buffer

/** Whether an object is one that a command made to try the store with. */
export const isProbe = (objectKey: string): boolean => NAME.test(objectKey)

/** A name that nobody else has, under a prefix. @throws S3Error KeyTooLongError */
export const probeName = (prefix: string, randomBytes: RandomBytes): ObjectKey =>
  parseObjectKey(`${prefix}.ssec-proxy-probe-${randomBytes(16).toString('hex')}`)

/** A key for an object that is thrown away, or to try a wrong one. @throws MaintenanceError */
export function randomKey(randomBytes: RandomBytes): KeyObject {
  const made = keyFromBytes(randomBytes(32))
  if (made.type === 'refused') throw new MaintenanceError(`the system's randomness gave no key: it ${made.message}`)
  return made.key
}

/** Why an object could not be written that was to be thrown away again. */
export function notWritable(answer: MaintenanceAnswer): MaintenanceError {
  const { message } = refusedBy('writing a probe object under a customer key', answer)
  return new MaintenanceError(
    answer.status === 403
      ? `${message}, or SSE-C is blocked on the bucket (lift it with PutBucketEncryption and BlockedEncryptionTypes NONE)`
      : message,
  )
}

/** The version that an answer to a write names; `null` where the bucket has none. */
export const versionOf = ({ fields }: MaintenanceAnswer): string => fields.get('x-amz-version-id') ?? 'null'

/** Removes these versions of an object for good. @returns those that could not be */
export async function removeVersions(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  objectKey: ObjectKey,
  versions: Iterable<string>,
): Promise<readonly string[]> {
  const left: string[] = []
  for (const versionId of versions) {
    const query = new Map(versionId === 'null' ? [] : [['versionId', versionId]])
    const target = { type: 'object', bucket, objectKey } as const
    const { status } = await access.send({ method: 'DELETE', target, query, headers: {}, body: 'none' })
    if (status >= 300 && status !== 404) left.push(versionId)
  }
  return left
}
