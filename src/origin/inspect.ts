import { createHash } from 'node:crypto'
import type { State, StoredHeaders } from './model.js'

/** One version as it lies in the store. */
export interface StoredObject {
  readonly bucket: string
  readonly objectKey: string
  readonly versionId: string
  readonly latest: boolean
  readonly deleteMarker: boolean
  /** Whether it is under a customer key. */
  readonly encrypted: boolean
  /** bytes */
  readonly size: number
  readonly etag: string
  readonly headers: StoredHeaders
  /** Number of parts it was uploaded in, 0 for a simple object. */
  readonly parts: number
  /** The bytes at rest: ciphertext under a customer key. */
  atRest(): Buffer
  /** Hex SHA-256 of the bytes at rest, without making one buffer of them. */
  atRestSha256(): string
}

/** Lists what is stored, every version of every object key, for tests and for the quickstart's own check. */
export function inspectObjects(state: State, bucketName?: string): readonly StoredObject[] {
  const buckets = [...state.buckets.values()].filter(({ name }) => bucketName === undefined || name === bucketName)
  return buckets.flatMap((bucket) =>
    [...bucket.objects].flatMap(([objectKey, versions]) =>
      versions.map((version, index): StoredObject => {
        const blocks = version.type === 'object' ? version.pieces.flatMap((piece) => piece.blocks) : []
        return {
          bucket: bucket.name,
          objectKey,
          versionId: version.versionId,
          latest: index === 0,
          deleteMarker: version.type === 'delete-marker',
          encrypted: version.type === 'object' && version.protection.type === 'customer-key',
          size: version.type === 'object' ? version.size : 0,
          etag: version.type === 'object' ? version.etag : '',
          headers: version.type === 'object' ? version.headers : {},
          parts: version.type === 'object' ? version.parts.length : 0,
          atRest: () => Buffer.concat(blocks),
          atRestSha256: () => {
            const hash = createHash('sha256')
            for (const block of blocks) hash.update(block)
            return hash.digest('hex')
          },
        }
      }),
    ),
  )
}
