import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { decodeChunked } from '../../src/origin/aws-chunked.js'
import { Refusal } from '../../src/origin/refusal.js'
import { signedChunks, unsignedChunks } from '../support/aws-chunked.js'

const signingKey = randomBytes(32)
const signature = 'a'.repeat(64)
const scope = { accessKeyId: 'AKIA', date: '20261123', region: 'eu-central-1', service: 's3' }
const timestamp = '20261123T120000Z'
const verified = { scope, timestamp, signature, signingKey: createSecretKey(signingKey) }
const seed = { signingKey, scope: '20261123/eu-central-1/s3/aws4_request', timestamp, signature }
const trailer = { name: 'x-amz-checksum-crc32', value: 'AAAAAA==' }

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function decode(
  framed: Buffer,
  how: typeof seed | 'unsigned',
  size = 1000,
): Promise<{ body: Buffer; trailers: Map<string, string> } | string> {
  const trailers = new Map<string, string>()
  const parts: Buffer[] = []
  try {
    for await (const bytes of decodeChunked(inPieces(framed, size), trailers, how)) parts.push(bytes)
    return { body: Buffer.concat(parts), trailers }
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

t.test('what was framed comes out, however it is cut on the way', async (t) => {
  await t.resolves(
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.integer({ min: 1, max: 9_000 }),
        fc.boolean(),
        fc.boolean(),
        async (bytes, size, signed, withTrailer) => {
          const body = Buffer.from(bytes)
          const chunking = { body, chunkSize: 8192, ...(withTrailer ? { trailer } : {}) }
          const framed = signed ? signedChunks({ ...chunking, verified }) : unsignedChunks(chunking)
          const decoded = await decode(framed, signed ? seed : 'unsigned', size)
          if (typeof decoded === 'string') throw new Error(decoded)
          const value = decoded.trailers.get(trailer.name)
          return decoded.body.equals(body) && value === (withTrailer ? trailer.value : undefined)
        },
      ),
      { numRuns: 40 },
    ),
  )
})

t.test('every flipped byte of a signed body is noticed', async (t) => {
  const framed = signedChunks({ body: randomBytes(300), chunkSize: 8192, trailer, verified })
  for (let at = 0; at < framed.length; at++) {
    const decoded = await decode(flip(framed, at), seed)
    if (typeof decoded !== 'string') t.fail(`byte ${at} of ${framed.length} was flipped`)
  }
  t.equal(typeof (await decode(framed, seed)), 'object', 'and the body itself is good')
})

t.test('broken framing is refused', async (t) => {
  const framed = unsignedChunks({ body: Buffer.alloc(100, 'x'), chunkSize: 8192, trailer })
  t.equal(await decode(framed.subarray(0, 50), 'unsigned'), 'IncompleteBody', 'the end is missing')
  t.equal(await decode(Buffer.concat([framed, Buffer.from('more')]), 'unsigned'), 'IncompleteBody', 'more than the end')
  t.equal(await decode(Buffer.from('zz\r\n'), 'unsigned'), 'IncompleteBody', 'no size')
  t.equal(await decode(Buffer.alloc(10_000, '0'), 'unsigned'), 'IncompleteBody', 'a size without end')
  t.equal(await decode(Buffer.from('1\r\nab\r\n0\r\n\r\n'), 'unsigned'), 'IncompleteBody', 'more than the size')
  t.equal(await decode(Buffer.alloc(0), 'unsigned'), 'IncompleteBody', 'nothing at all')
  t.equal(await decode(Buffer.from('0\r\nno colon\r\n\r\n'), 'unsigned'), 'MalformedTrailerError', 'a bad trailer')
  const small = unsignedChunks({ body: Buffer.alloc(100, 'x'), chunkSize: 50 })
  t.equal(await decode(small, 'unsigned'), 'InvalidChunkSizeError', 'small chunks before the last one')
})

t.test('a chain cannot be cut short, swapped or taken from elsewhere', async (t) => {
  const body = randomBytes(8192 * 2)
  const framed = signedChunks({ body, chunkSize: 8192, verified })
  const one = '2000;chunk-signature='.length + 64 + 2 + 8192 + 2
  const swapped = Buffer.concat([framed.subarray(one, 2 * one), framed.subarray(0, one), framed.subarray(2 * one)])
  t.equal(await decode(swapped, seed), 'SignatureDoesNotMatch')
  const shortened = Buffer.concat([framed.subarray(0, one), framed.subarray(2 * one)])
  t.equal(await decode(shortened, seed), 'SignatureDoesNotMatch')
  t.equal(await decode(framed, { ...seed, signature: 'b'.repeat(64) }), 'SignatureDoesNotMatch')
  const unsigned = unsignedChunks({ body, chunkSize: 8192 })
  t.equal(await decode(unsigned, seed), 'SignatureDoesNotMatch', 'no signatures where they are due')
})
