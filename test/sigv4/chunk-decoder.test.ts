import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { S3Error } from '../../src/s3/error.js'
import { decodeChunks, type StreamingMode } from '../../src/sigv4/chunk-decoder.js'
import { sha256 } from '../../src/sigv4/signing-key.js'
import type { VerifiedSignature } from '../../src/sigv4/types.js'
import { signedChunks, unsignedChunks } from '../support/aws-chunked.js'
import { codeOf, examples, seededWith } from './examples.js'

interface Outcome {
  /** S3's code, `none` where the whole body was accepted */
  readonly code: string
  readonly released: Buffer
  readonly trailers: ReadonlyMap<string, string>
}

async function decode(
  pieces: Iterable<Buffer>,
  mode: StreamingMode,
  verified: VerifiedSignature | 'none' = seed,
  trailingChecksum: 'verify' | 'relay' = 'relay',
): Promise<Outcome> {
  const decoder = decodeChunks({ mode, verified, trailingChecksum })
  const released: Buffer[] = []
  const release = (bytes: Buffer): void => void released.push(bytes)
  let code = 'none'
  try {
    for (const piece of pieces) decoder.piece(piece, release)
    await decoder.end(release)
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    code = error.code
  }
  return { code, released: Buffer.concat(released), trailers: decoder.trailers() }
}

const seed = seededWith(sha256('seed'))
const NAME = 'x-amz-checksum-crc32'
const crcOf = (body: Uint8Array): string => {
  const digest = Buffer.alloc(4)
  digest.writeUInt32BE(crc32(body))
  return digest.toString('base64')
}
const trailerOf = (body: Uint8Array) => ({ name: NAME, value: crcOf(body) })
const plain = (decodedLength: number): StreamingMode => ({ type: 'streaming-signed', decodedLength })
const withTrailer = (decodedLength: number): StreamingMode => ({
  type: 'streaming-signed-trailer',
  decodedLength,
  trailers: [NAME],
})
const unsigned = (decodedLength: number): StreamingMode => ({
  type: 'streaming-unsigned-trailer',
  decodedLength,
  trailers: [NAME],
})
/** The same body in each mode. */
const framings = (body: Buffer, chunkSize: number) =>
  [
    [plain(body.length), signedChunks({ body, chunkSize, verified: seed })],
    [withTrailer(body.length), signedChunks({ body, chunkSize, verified: seed, trailer: trailerOf(body) })],
    [unsigned(body.length), unsignedChunks({ body, chunkSize, trailer: trailerOf(body) })],
  ] as const

t.test("AWS's example: 66560 bytes in three signed chunks", async (t) => {
  const { seed: signature, chunks, length } = examples.chunked.plain
  const [first, second, last] = chunks
  const framed = Buffer.from(
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n` +
      `400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${last}\r\n\r\n`,
  )
  t.equal(framed.length, length)
  const outcome = await decode([framed], plain(66_560), seededWith(signature))
  t.equal(outcome.code, 'none')
  t.ok(outcome.released.equals(Buffer.alloc(66_560, 'a')))
  const ours = signedChunks({ body: Buffer.alloc(66_560, 'a'), chunkSize: 65_536, verified: seededWith(signature) })
  t.ok(ours.equals(framed), "the tests' own encoder writes the same")
})

t.test("AWS's example with a trailer", async (t) => {
  const { seed: signature, chunks, name, value, signature: last } = examples.chunked.trailer
  const framed = Buffer.from(
    `10000;chunk-signature=${chunks[0]}\r\n${'a'.repeat(65_536)}\r\n` +
      `400;chunk-signature=${chunks[1]}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${chunks[2]}\r\n` +
      `${name}:${value}\r\nx-amz-trailer-signature:${last}\r\n\r\n`,
  )
  const mode: StreamingMode = { type: 'streaming-signed-trailer', decodedLength: 66_560, trailers: [name] }
  const outcome = await decode([framed], mode, seededWith(signature), 'verify')
  t.equal(outcome.code, 'none')
  t.equal(outcome.released.length, 66_560)
  t.same(outcome.trailers, new Map([[name, value]]))
  const ours = signedChunks({
    body: Buffer.alloc(66_560, 'a'),
    chunkSize: 65_536,
    verified: seededWith(signature),
    trailer: { name, value },
  })
  t.ok(ours.equals(framed), "the tests' own encoder writes the same")
})

t.test('any body, chunk size and cut', async () => {
  const input = fc.record({
    body: fc.uint8Array({ maxLength: 50_000, size: 'max' }),
    chunkSize: fc.integer({ min: 8192, max: 30_000 }),
    pieceSize: fc.integer({ min: 1, max: 60_000 }),
    which: fc.nat(2),
  })
  await fc.assert(
    fc.asyncProperty(input, async ({ body, chunkSize, pieceSize, which }) => {
      const [mode, framed] = framings(Buffer.from(body), chunkSize)[which]!
      const outcome = await decode(cut(framed, Math.max(pieceSize, framed.length / 500)), mode, seed, 'verify')
      const trailers = mode.type === 'streaming-signed' ? new Map() : new Map([[NAME, crcOf(body)]])
      return outcome.code === 'none' && outcome.released.equals(body) && same(outcome.trailers, trailers)
    }),
    { numRuns: 60 },
  )
})

t.test('one bit flipped in any byte: refused before the object is whole, or the same object', async (t) => {
  const body = Buffer.from(Array.from({ length: 40 }, (_, i) => i * 6))
  for (const [mode, framed] of framings(body, 8192).slice(0, 2)) {
    const wrong: string[] = []
    let refused = 0
    for (let bit = 0; bit < framed.length * 8; bit += 7) {
      const flipped = Buffer.from(framed)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const outcome = await decode([flipped], mode)
      if (outcome.code === 'none') {
        // The case of the size's digits and of trailer names, a tab for a CR: framing with the same meaning.
        if (!outcome.released.equals(body)) wrong.push(`accepted: bit ${bit}`)
        if (mode.type !== 'streaming-signed' && !same(outcome.trailers, new Map([[NAME, crcOf(body)]]))) {
          wrong.push(`trailer: bit ${bit}`)
        }
      } else {
        refused += 1
        if (outcome.released.length >= body.length) wrong.push(`all released: bit ${bit}`)
        if (outcome.trailers.size > 0) wrong.push(`trailers shown: bit ${bit}`)
      }
    }
    t.same(wrong, [], mode.type)
    t.ok(refused > framed.length * 0.9, 'most flips matter')
  }
})

t.test('the body cut off at every byte', async (t) => {
  const body = Buffer.alloc(33, 'x')
  for (const [mode, framed] of framings(body, 8192)) {
    const wrong: number[] = []
    for (let end = 0; end < framed.length; end += 1) {
      const outcome = await decode([framed.subarray(0, end)], mode)
      if (outcome.code !== 'IncompleteBody' || outcome.released.length >= body.length) wrong.push(end)
    }
    t.same(wrong, [], mode.type)
  }
})

t.test('the connection dies: the decoder fails with its error and shows nothing more', async (t) => {
  const body = Buffer.alloc(20_000, 'x')
  for (const [mode, framed] of framings(body, 8192)) {
    for (const end of [0, 100, 9000, framed.length - 1, framed.length]) {
      const source = function* () {
        yield framed.subarray(0, end)
        throw new Error('aborted')
      }
      await t.rejects(decode(source(), mode), { message: 'aborted' }, `${mode.type} ${end}`)
    }
  }
})

t.test('bytes after the end', async (t) => {
  const body = Buffer.alloc(33, 'x')
  for (const [mode, framed] of framings(body, 8192)) {
    for (const more of ['x', '\r\n', '\0', '0\r\n\r\n', 'x'.repeat(10_000), framed.toString('latin1')]) {
      for (const pieces of [[Buffer.concat([framed, Buffer.from(more)])], [framed, Buffer.from(more)]]) {
        const outcome = await decode(pieces, mode)
        t.match(
          outcome.code,
          /^(IncompleteBody|MalformedTrailerError)$/,
          `${mode.type} ${JSON.stringify(more.slice(0, 9))}`,
        )
        t.ok(outcome.released.length < body.length)
      }
    }
  }
})

t.test('lengths that lie', async (t) => {
  const body = Buffer.alloc(20_000, 'x')
  for (const [mode, framed] of framings(body, 8192)) {
    for (const decodedLength of [0, 1, 8192, 16_384, 19_999, 20_001, 1e15]) {
      const outcome = await decode(cut(framed, 1000), { ...mode, decodedLength })
      t.equal(outcome.code, 'IncompleteBody', `${mode.type} ${decodedLength}`)
      t.ok(outcome.released.length < Math.max(decodedLength, 1))
    }
  }
})

t.test('chunks left out, doubled, moved, or taken from another request', async (t) => {
  const body = Buffer.concat(['a', 'b', 'c'].map((letter) => Buffer.alloc(8192, letter)))
  const framed = signedChunks({ body, chunkSize: 8192, verified: seed })
  const size = '2000;chunk-signature='.length + 64 + 2 + 8192 + 2
  const [a, b, c, end] = [0, 1, 2, 3].map((n) => framed.subarray(n * size, (n + 1) * size)) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ]
  const foreign = signedChunks({ body, chunkSize: 8192, verified: seededWith(sha256('another')) })
  const cases: readonly (readonly [name: string, pieces: readonly Buffer[], code: string])[] = [
    ['swapped', [b, a, c, end], 'SignatureDoesNotMatch'],
    ['doubled', [a, a, c, end], 'SignatureDoesNotMatch'],
    ['replaced by a later one', [a, c, c, end], 'SignatureDoesNotMatch'],
    ['foreign first', [foreign.subarray(0, size), b, c, end], 'SignatureDoesNotMatch'],
    ['foreign last', [a, b, c, foreign.subarray(3 * size)], 'SignatureDoesNotMatch'],
    ['all foreign', [foreign], 'SignatureDoesNotMatch'],
    ['left out', [a, c, end], 'SignatureDoesNotMatch'],
    ['end left out', [a, b, c], 'IncompleteBody'],
    ['end too early', [a, b, end], 'IncompleteBody'],
    ['right', [a, b, c, end], 'none'],
  ]
  for (const [name, pieces, code] of cases) {
    const outcome = await decode(pieces, plain(body.length))
    t.equal(outcome.code, code, name)
    t.equal(outcome.released.length < body.length, code !== 'none', name)
  }
})

t.test('the signature of the end binds what was left out, too', async (t) => {
  const body = Buffer.alloc(16_384, 'x')
  const framed = signedChunks({ body, chunkSize: 8192, verified: seed }).toString('latin1')
  const [first = '', , last = ''] = framed.split(/(?<=x\r\n)/)
  const outcome = await decode([Buffer.from(first + last, 'latin1')], plain(8192))
  t.equal(outcome.code, 'SignatureDoesNotMatch')
  t.ok(outcome.released.length < 8192)
})

t.test('framing of another mode', async (t) => {
  const body = Buffer.alloc(33, 'x')
  const [[signed, signedBody], [trailer, trailerBody], [open, openBody]] = framings(body, 8192)
  const cases: readonly (readonly [mode: StreamingMode, framed: Buffer, code: string])[] = [
    [signed, openBody, 'IncompleteBody'],
    [trailer, openBody, 'IncompleteBody'],
    [open, signedBody, 'IncompleteBody'],
    [signed, trailerBody, 'MalformedTrailerError'],
    [trailer, signedBody, 'MalformedTrailerError'],
    [signed, body, 'IncompleteBody'],
    [open, unsignedChunks({ body, chunkSize: 8192 }), 'MalformedTrailerError'],
  ]
  for (const [mode, framed, code] of cases) {
    const outcome = await decode([framed], mode)
    t.equal(outcome.code, code)
    t.ok(outcome.released.length < body.length)
  }
})

t.test('a trailer signature that is missing, or where none belongs', async (t) => {
  const body = Buffer.alloc(33, 'x')
  const framed = signedChunks({ body, chunkSize: 8192, verified: seed, trailer: trailerOf(body) }).toString('latin1')
  const without = framed.replace(/x-amz-trailer-signature:[0-9a-f]*\r\n/, '')
  t.equal((await decode([Buffer.from(without, 'latin1')], withTrailer(33))).code, 'MalformedTrailerError')
  const open = unsignedChunks({ body, chunkSize: 8192, trailer: trailerOf(body) }).toString('latin1')
  const signed = open.replace(/\r\n$/, `x-amz-trailer-signature:${sha256('')}\r\n\r\n`)
  t.equal((await decode([Buffer.from(signed, 'latin1')], unsigned(33))).code, 'MalformedTrailerError')
  const undeclared = open.replace(/\r\n$/, 'x-amz-meta-a:b\r\n\r\n')
  t.equal((await decode([Buffer.from(undeclared, 'latin1')], unsigned(33))).code, 'MalformedTrailerError')
})

t.test('the trailing checksum, where it is verified here', async (t) => {
  const body = Buffer.alloc(20_000, 'x')
  const trailer = { name: NAME, value: crcOf(Buffer.from('other')) }
  for (const [mode, framed] of [
    [withTrailer(body.length), signedChunks({ body, chunkSize: 8192, verified: seed, trailer })],
    [unsigned(body.length), unsignedChunks({ body, chunkSize: 8192, trailer })],
  ] as const) {
    const outcome = await decode([framed], mode, seed, 'verify')
    t.equal(outcome.code, 'BadDigest')
    t.ok(outcome.released.length < body.length)
    t.equal((await decode([framed], mode, seed, 'relay')).code, 'none', 'left to the upstream')
  }
  const odd = unsignedChunks({ body, chunkSize: 8192, trailer: { name: NAME, value: 'x' } })
  t.equal((await decode([odd], unsigned(body.length), 'none', 'verify')).code, 'InvalidRequest')
  const mode: StreamingMode = { ...unsigned(1), trailers: ['x-amz-checksum-crc16'] } as StreamingMode
  t.equal(
    codeOf(() => decodeChunks({ mode, verified: 'none', trailingChecksum: 'verify' })),
    'NotImplemented',
  )
})

t.test('signed chunks need a seed', (t) => {
  for (const mode of [plain(1), withTrailer(1)]) {
    t.equal(
      codeOf(() => decodeChunks({ mode, verified: 'none', trailingChecksum: 'relay' })),
      'InvalidRequest',
    )
  }
  t.end()
})

t.test('a small chunk before the last', async (t) => {
  const body = Buffer.alloc(20_000, 'x')
  const framed = signedChunks({ body, chunkSize: 8191, verified: seed })
  const outcome = await decode([framed], plain(body.length))
  t.equal(outcome.code, 'InvalidChunkSizeError')
})

t.test('until the input has ended, the object is not whole', async (t) => {
  for (const length of [0, 1, 8192, 20_000]) {
    const body = Buffer.alloc(length, 'x')
    for (const [mode, framed] of framings(body, 8192)) {
      const decoder = decodeChunks({ mode, verified: seed, trailingChecksum: 'verify' })
      const released: Buffer[] = []
      const release = (bytes: Buffer): void => void released.push(bytes)
      for (const piece of cut(framed, 700)) decoder.piece(piece, release)
      t.ok(length === 0 || Buffer.concat(released).length < length, `${mode.type} ${length}`)
      t.ok(Buffer.concat(released).length >= length - 700, 'but no more than one piece is held')
      t.equal(decoder.trailers().size, 0)
      await decoder.end(release)
      t.ok(Buffer.concat(released).equals(body))
    }
  }
})

t.test('what passes are views of what came', (t) => {
  const body = Buffer.alloc(100_000, 'x')
  const framed = signedChunks({ body, chunkSize: 65_536, verified: seed })
  const decoder = decodeChunks({ mode: plain(body.length), verified: seed, trailingChecksum: 'verify' })
  const see = (bytes: Buffer): void => void t.equal(bytes.buffer, framed.buffer)
  decoder.piece(framed, see)
  decoder.end(see)
  t.end()
})

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  const step = Math.ceil(size)
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b])
}
