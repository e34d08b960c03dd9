import fc from 'fast-check'
import t from 'tap'
import { inRow } from '../../src/sigv4/body-step.js'
import { decodeChunks } from '../../src/sigv4/chunk-decoder.js'
import { chunkEncoder } from '../../src/sigv4/chunk-encoder.js'
import { sha256 } from '../../src/sigv4/signing-key.js'
import { signedChunks, unsignedChunks } from '../support/aws-chunked.js'
import { seededWith } from './examples.js'

const name = 'x-amz-checksum-crc32'
const value = 'DUoRhQ=='
const trailers = () => new Map([[name, value]])

function encoderFor(decodedLength: number, trailer = name) {
  const encoder = chunkEncoder({ decodedLength, trailer })
  if (encoder === 'unknown-trailer') throw new Error(encoder)
  return encoder
}

async function encode(pieces: Iterable<Buffer>, decodedLength: number, values = trailers): Promise<Buffer> {
  const step = encoderFor(decodedLength).step(values)
  const framed: Buffer[] = []
  const keep = (bytes: Buffer): void => void framed.push(bytes)
  for (const piece of pieces) step.piece(piece, keep)
  await step.end(keep)
  return Buffer.concat(framed)
}

t.test('small, empty, exactly one chunk, one byte more', async (t) => {
  t.equal(
    (await encode([Buffer.from('hello'), Buffer.from(' world')], 11)).toString(),
    `b\r\nhello world\r\n0\r\n${name}:${value}\r\n\r\n`,
  )
  t.equal((await encode([], 0)).toString(), `0\r\n${name}:${value}\r\n\r\n`)
  for (const length of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
    const body = Buffer.alloc(length, 'x')
    const bytes = await encode([body], length)
    t.ok(bytes.equals(unsignedChunks({ body, chunkSize: 65_536, trailer: { name, value } })), `${length}`)
    t.equal(bytes.length, encoderFor(length).contentLength, `${length}`)
  }
})

t.test('however the bytes come, the framing is the same', async () => {
  const input = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(input, async (sizes) => {
      const pieces = sizes.map((size, i) => Buffer.alloc(size, i))
      const body = Buffer.concat(pieces)
      const bytes = await encode(pieces, body.length)
      return bytes.equals(unsignedChunks({ body, chunkSize: 65_536, trailer: { name, value } }))
    }),
    { numRuns: 50 },
  )
})

t.test('the content length of any object, without making it', (t) => {
  // 5 GiB is 81920 chunks of 65536.
  const length = 5 * 1024 ** 3
  const framing = 81_920 * '10000\r\n\r\n'.length + `0\r\n${name}:${value}\r\n\r\n`.length
  t.equal(encoderFor(length).contentLength, length + framing)
  const sha = 'x-amz-checksum-sha256'
  t.equal(encoderFor(0, sha).contentLength, `0\r\n${sha}:${'x'.repeat(44)}\r\n\r\n`.length)
  t.equal(chunkEncoder({ decodedLength: 1, trailer: 'x-amz-checksum-crc16' }), 'unknown-trailer')
  t.end()
})

t.test('fewer or more bytes than announced', async (t) => {
  await t.rejects(encode([Buffer.from('abc')], 4), { code: 'IncompleteBody' })
  await t.rejects(encode([Buffer.from('abc')], 2), { code: 'IncompleteBody' })
  await t.rejects(encode([Buffer.from('ab'), Buffer.from('c')], 2), { code: 'IncompleteBody' })
})

t.test('a trailer of another length would break the announced one', async (t) => {
  for (const odd of ['', 'DUoRhQ=', 'DUoRhQ===']) {
    await t.rejects(
      encode([Buffer.from('abc')], 3, () => new Map([[name, odd]])),
      { code: 'InvalidRequest' },
    )
  }
  await t.rejects(
    encode([Buffer.from('abc')], 3, () => new Map()),
    { code: 'InvalidRequest' },
  )
})

t.test('behind the decoder: neither the last bytes nor the trailer come before all is verified', async (t) => {
  const seed = seededWith(sha256('seed'))
  for (const length of [0, 5, 100_000]) {
    const body = Buffer.alloc(length, 'x')
    const framed = signedChunks({ body, chunkSize: 65_536, verified: seed, trailer: { name, value } })
    const decoder = decodeChunks({
      mode: { type: 'streaming-signed-trailer', decodedLength: length, trailers: [name] },
      verified: seed,
      trailingChecksum: 'relay',
    })
    const encoder = encoderFor(length)
    const both = inRow(
      decoder,
      encoder.step(() => decoder.trailers()),
    )
    const out: Buffer[] = []
    const keep = (bytes: Buffer): void => void out.push(bytes)
    for (let at = 0; at < framed.length; at += 1000) both.piece(framed.subarray(at, at + 1000), keep)
    t.ok(Buffer.concat(out).length < encoder.contentLength - `0\r\n${name}:${value}\r\n\r\n`.length + 1)
    await both.end(keep)
    t.ok(Buffer.concat(out).equals(unsignedChunks({ body, chunkSize: 65_536, trailer: { name, value } })))
  }
})
