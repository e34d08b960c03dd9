import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc'
import { Xxh3_128, Xxh3_64, Xxh64 } from '@aws-sdk/checksums/xxh'
import { S3Error } from '../s3/error.js'

/** A checksum of bytes that come piece by piece. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void
  /** As S3 writes it: base64, the most significant byte first. Once, at the end. */
  digest(): Promise<string>
}

interface Algorithm {
  /** size of the digest in bytes */
  readonly size: number
  readonly start: () => RunningChecksum
}

/**
 * S3's checksums by the name of their header and trailer.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['x-amz-checksum-crc32', { size: 4, start: startCrc32 }],
  ['x-amz-checksum-crc32c', { size: 4, start: () => inBase64(new Crc32c()) }],
  ['x-amz-checksum-crc64nvme', { size: 8, start: () => inBase64(new Crc64Nvme()) }],
  ['x-amz-checksum-sha1', { size: 20, start: () => startHash('sha1') }],
  ['x-amz-checksum-sha256', { size: 32, start: () => startHash('sha256') }],
  ['x-amz-checksum-sha512', { size: 64, start: () => startHash('sha512') }],
  ['x-amz-checksum-md5', { size: 16, start: () => startHash('md5') }],
  ['x-amz-checksum-xxhash64', { size: 8, start: () => inBase64(new Xxh64()) }],
  ['x-amz-checksum-xxhash3', { size: 8, start: () => inBase64(new Xxh3_64()) }],
  ['x-amz-checksum-xxhash128', { size: 16, start: () => inBase64(new Xxh3_128()) }],
])

/** How many characters the trailer's value has, `unknown` where the algorithm is. */
export function checksumLength(name: string): number | 'unknown' {
  const size = ALGORITHMS.get(name)?.size
  return size === undefined ? 'unknown' : Math.ceil(size / 3) * 4
}

/** @throws S3Error NotImplemented where the algorithm is unknown */
export function startChecksum(name: string): RunningChecksum {
  const algorithm = ALGORITHMS.get(name)
  if (algorithm === undefined) throw new S3Error('NotImplemented', { message: `${name} is not supported.` })
  return algorithm.start()
}

/** @throws S3Error InvalidRequest where the value cannot be this checksum, BadDigest where it is of other bytes */
export function compareChecksum(name: string, provided: string, computed: string): void {
  if (provided === computed) return
  if (provided.length !== computed.length || !/^[A-Za-z0-9+/]+={0,2}$/.test(provided)) {
    throw new S3Error('InvalidRequest', { message: `Value for ${name} trailing header is invalid.` })
  }
  const algorithm = name.slice('x-amz-checksum-'.length).toUpperCase()
  throw new S3Error('BadDigest', {
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  })
}

function startHash(algorithm: string): RunningChecksum {
  const hash = createHash(algorithm)
  return {
    update: (bytes) => void hash.update(bytes),
    digest: async () => Promise.resolve(hash.digest('base64')),
  }
}

function startCrc32(): RunningChecksum {
  let crc = 0
  return {
    update: (bytes) => void (crc = crc32(bytes, crc)),
    digest: async () => {
      const digest = Buffer.alloc(4)
      digest.writeUInt32BE(crc)
      return Promise.resolve(digest.toString('base64'))
    },
  }
}

function inBase64(checksum: { update(bytes: Uint8Array): void; digest(): Promise<Uint8Array> }): RunningChecksum {
  return {
    update: (bytes) => checksum.update(bytes),
    digest: async () => Buffer.from(await checksum.digest()).toString('base64'),
  }
}
