import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { PlainVersion } from '../../src/keyring/keyring-file.js'
import type { ObjectScope } from '../../src/keyring/port.js'
import type { CustomerKey } from '../../src/s3/customer-key.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../../src/s3/names.js'

/** Key bytes that are different for every label and the same in every run. */
export const bytesOf = (label: string): Buffer => createHash('sha256').update(`test key ${label}`).digest()
export const keyOf = (label: string): KeyObject => createSecretKey(bytesOf(label))
export const hex = (key: CustomerKey): string => key.export().toString('hex')
export const isSame = (one: CustomerKey, other: CustomerKey): boolean => hex(one) === hex(other)

/** The check value as docs/keys.md describes it, written a second time. */
export const checkOf = (bytes: Buffer): string =>
  createHmac('sha256', bytes).update('ssec-proxy/check/v1').digest('hex').slice(0, 16)

export const scopeOf = (bucket: string, objectKey: string, versionId?: string, identity = bucket): ObjectScope => ({
  bucket: parseBucket(bucket),
  bucketIdentity: identity,
  objectKey: parseObjectKey(objectKey),
  version: versionId === undefined ? { type: 'latest' } : { type: 'id', versionId: parseVersionId(versionId) },
})

export const versionOf = (
  id: string,
  state: 'active' | 'readable',
  created = '2026-01-01T00:00:00Z',
): PlainVersion => ({
  type: 'plain',
  id,
  state,
  created,
  key: keyOf(id),
})

export const pendingVersion = (id: string, activateAt: string): PlainVersion => ({
  type: 'plain',
  id,
  state: 'pending',
  activateAt,
  created: '2026-01-01T00:00:00Z',
  key: keyOf(id),
})

/** A clock that stands still, after everything that the tests made. */
export const clock = () => new Date('2026-11-23T20:00:00Z')

/** One version of a keyring file, as it is in the file. */
export const writtenVersion = (id: string, state: string, created = '2026-01-01T00:00:00Z') => ({
  id,
  state,
  created,
  key: bytesOf(id).toString('base64'),
  check: checkOf(bytesOf(id)),
})

export const writtenObject = (bucket: string, objectKey: string, label: string, versionId?: string) => ({
  bucket,
  objectKey,
  ...(versionId === undefined ? {} : { versionId }),
  key: bytesOf(label).toString('base64'),
  check: checkOf(bytesOf(label)),
})

export const written = (type: string, rest: Readonly<Record<string, unknown>>, name = 'main') => ({
  format: 'ssec-proxy-keyring/1',
  name,
  type,
  ...rest,
})

export interface Vector {
  readonly name: string
  readonly masterKey: string
  readonly bucketIdentity: string
  readonly objectKey: string
  readonly dataKey: string
  readonly dataKeyMD5: string
}

export interface Vectors {
  readonly derivation: string
  readonly masterKeyChecks: Readonly<Record<string, string>>
  readonly vectors: readonly Vector[]
}

export interface MacVectors {
  readonly key: string
  readonly check: string
  readonly vectors: readonly {
    readonly bucketIdentity: string
    readonly objectKey: string
    /** What the MAC is of, in hex. */
    readonly info: string
    readonly dataKey: string
  }[]
}
