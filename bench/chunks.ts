import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { KIB, MIB } from './content.js'
import { SecretAccessKey } from '../src/sigv4/types.js'
import { decodeChunks } from '../src/sigv4/chunk-decoder.js'
import { keptSigningKey } from '../src/sigv4/signing-key.js'
import { signedChunks } from '../test/support/aws-chunked.js'
import { steppedBody } from '../src/proxy/stepped-body.js'

/** What verifying signed chunks costs, beside what SHA-256 alone takes for the same bytes. */
export interface ChunkVerification {
  readonly sha256MibPerSecond: number
  readonly verifiedMibPerSecond: number
  /** The speed of verification as a share of SHA-256's, the median of pairs. */
  readonly ratio: number
}

const OBJECT_BYTES = 32 * MIB
/** A TLS record, and so what a socket gives at once. */
const PIECE_BYTES = 16 * KIB
const ROUNDS = 15
/** Not counted: node compiles the verifier meanwhile. */
const ROUNDS_BEFORE = 15
const SCOPE = { accessKeyId: 'BENCH', date: '20260101', region: 'us-east-1', service: 's3' }
const VERIFIED = {
  scope: SCOPE,
  timestamp: '20260101T000000Z',
  signature: createHash('sha256').digest('hex'),
  // Remembered, as the key of a request that was verified is.
  signingKey: keptSigningKey(new SecretAccessKey('bench'), SCOPE),
} as const

/**
 * Times both by CPU in this process, in turn, over one object in memory, in pieces as a TLS socket gives them. Verification is all that
 * the proxy does between its two sockets: framing, hashes, the chain of signatures, backpressure, the piece held back.
 *
 * @param chunkBytes data in each chunk: AWS's SDKs send 64 KiB or 128 KiB
 */
export async function measureChunkVerification(chunkBytes = 64 * KIB): Promise<ChunkVerification> {
  const body = Buffer.alloc(OBJECT_BYTES, 'ssec-proxy')
  const framed = cut(signedChunks({ body, chunkSize: chunkBytes, verified: VERIFIED }))
  const plain = cut(body)
  const pairs: (readonly [hashed: number, verified: number])[] = []
  for (let round = -ROUNDS_BEFORE; round < ROUNDS; round++) {
    const pair = [await cpuSecondsFor(async () => hash(plain)), await cpuSecondsFor(() => verify(framed))] as const
    if (round >= 0) pairs.push(pair)
  }
  const mibPerSecond = (seconds: readonly number[]) => OBJECT_BYTES / MIB / median(seconds)
  return {
    sha256MibPerSecond: mibPerSecond(pairs.map(([hashed]) => hashed)),
    verifiedMibPerSecond: mibPerSecond(pairs.map(([, verified]) => verified)),
    ratio: median(pairs.map(([hashed, verified]) => hashed / verified)),
  }
}

function hash(pieces: readonly Buffer[]): void {
  const sha256 = createHash('sha256')
  for (const piece of pieces) sha256.update(piece)
  sha256.digest('hex')
}

async function verify(pieces: readonly Buffer[]): Promise<void> {
  let next = 0
  const source = new Readable({
    read() {
      this.push(pieces[next++] ?? null)
    },
  })
  const mode = { type: 'streaming-signed', decodedLength: OBJECT_BYTES } as const
  const body = steppedBody(source, decodeChunks({ mode, verified: VERIFIED, trailingChecksum: 'verify' }))
  let passed = 0
  body.on('data', (bytes: Buffer) => (passed += bytes.length))
  await once(body, 'end')
  if (passed !== OBJECT_BYTES) throw new Error(`${passed} bytes instead of ${OBJECT_BYTES}`)
}

async function cpuSecondsFor(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function cut(bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return pieces
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const kib of [8, 64, 128]) {
    const { sha256MibPerSecond, verifiedMibPerSecond, ratio } = await measureChunkVerification(kib * KIB)
    const speeds = `${verifiedMibPerSecond.toFixed(0)} of ${sha256MibPerSecond.toFixed(0)} MiB/s`
    console.log(`chunks of ${kib} KiB, verification : SHA-256 of the same bytes ${ratio.toFixed(2)} (${speeds})`)
  }
}
