import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c, crc64nvme } from './crc.js'

/** Names as in `x-amz-checksum-<name>`; upper-case in documents and in x-amz-checksum-algorithm. */
export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256', 'md5'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]

export interface RunningChecksum {
  update(bytes: Buffer): void
  /** base64; crc values are big-endian bytes */
  digest(): string
}

const LENGTHS: Readonly<Record<ChecksumAlgorithm, number>> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
  md5: 16,
}

export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'crc32': {
      let value = 0
      return { update: (bytes) => void (value = crc32(bytes, value)), digest: () => base64Of32(value) }
    }
    case 'crc32c':
      return crc32c()
    case 'crc64nvme':
      return crc64nvme()
    case 'sha1':
    case 'sha256':
    case 'md5': {
      const hash = createHash(algorithm)
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') }
    }
  }
}

function base64Of32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

/** The name in lower case if it is one of S3's algorithms. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | 'unknown' {
  return CHECKSUM_ALGORITHMS.find((known) => known === name.toLowerCase()) ?? 'unknown'
}

/** Whether the text is base64 of as many bytes as the algorithm gives. */
export function isChecksumValue(algorithm: ChecksumAlgorithm, text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === LENGTHS[algorithm] && bytes.toString('base64') === text
}

/** The checksum of the parts' checksums, as S3 builds it: over the raw bytes, with the number of parts behind a dash. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, values: readonly string[]): string {
  const checksum = startChecksum(algorithm)
  for (const value of values) checksum.update(Buffer.from(value, 'base64'))
  return `${checksum.digest()}-${values.length}`
}
