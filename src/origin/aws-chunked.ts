import { createHash, createHmac, type Hash } from 'node:crypto'
import { Refusal } from './refusal.js'
import type { Verified } from './signature.js'

const LINE_LIMIT = 4096
const MINIMUM_CHUNK = 8192
const EMPTY_SHA256 = createHash('sha256').digest('hex')

/**
 * Takes the aws-chunked framing off. With a verified seed signature every chunk, and the trailer where there is one,
 * must carry the next signature of the chain.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
  seed: Verified | 'unsigned',
): AsyncGenerator<Buffer> {
  const reader = byteReader(source)
  let previous = seed === 'unsigned' ? '' : seed.signature
  let shortChunk: number | 'none' = 'none'
  for (let index = 1; ; index++) {
    const { size, signature } = chunkHead(await reader.line())
    if (size > 0 && shortChunk !== 'none') {
      throw new Refusal('InvalidChunkSizeError', {
        extra: { Chunk: String(index - 1), BadChunkSize: String(shortChunk) },
      })
    }
    if (size < MINIMUM_CHUNK) shortChunk = size
    const hash = createHash('sha256')
    for await (const bytes of reader.take(size)) {
      if (seed !== 'unsigned') hash.update(bytes)
      yield bytes
    }
    if (seed !== 'unsigned') previous = nextSignature(seed, previous, hash, signature)
    if (size === 0) break
    if ((await reader.line()) !== '') throw new Refusal('IncompleteBody')
  }
  await readTrailers(reader, trailers, seed, previous)
}

function chunkHead(line: string): { readonly size: number; readonly signature: string } {
  const found = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
  if (found === null) throw new Refusal('IncompleteBody')
  return { size: parseInt(found[1] ?? '', 16), signature: found[2] ?? '' }
}

function nextSignature(seed: Verified, previous: string, data: Hash, given: string): string {
  const hash = data.digest('hex')
  const toSign = `AWS4-HMAC-SHA256-PAYLOAD\n${seed.timestamp}\n${seed.scope}\n${previous}\n${EMPTY_SHA256}\n${hash}`
  if (createHmac('sha256', seed.signingKey).update(toSign).digest('hex') !== given) {
    throw new Refusal('SignatureDoesNotMatch', { extra: { StringToSign: toSign, SignatureProvided: given } })
  }
  return given
}

/** Lines `name:value` up to an empty line or the end; the signed trailer's signature covers them as `name:value\n`. */
async function readTrailers(
  reader: ByteReader,
  trailers: Map<string, string>,
  seed: Verified | 'unsigned',
  previous: string,
): Promise<void> {
  let signed = ''
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const found = /^([!-9;-~]+):[ \t]*([ -~]*?)[ \t]*$/.exec(line)
    if (found === null) throw new Refusal('MalformedTrailerError')
    const name = (found[1] ?? '').toLowerCase()
    if (name !== 'x-amz-trailer-signature') signed += `${name}:${found[2] ?? ''}\n`
    trailers.set(name, found[2] ?? '')
  }
  await reader.end()
  if (seed === 'unsigned' || signed === '') return
  const hash = createHash('sha256').update(signed).digest('hex')
  const toSign = `AWS4-HMAC-SHA256-TRAILER\n${seed.timestamp}\n${seed.scope}\n${previous}\n${hash}`
  const given = trailers.get('x-amz-trailer-signature') ?? ''
  if (createHmac('sha256', seed.signingKey).update(toSign).digest('hex') !== given) {
    throw new Refusal('SignatureDoesNotMatch', { extra: { StringToSign: toSign, SignatureProvided: given } })
  }
}

interface ByteReader {
  /** The next line without its CRLF; `''` at the end of the body. */
  line(): Promise<string>
  /** Exactly so many bytes. */
  take(size: number): AsyncIterable<Buffer>
  /** Nothing may follow. */
  end(): Promise<void>
}

function byteReader(source: AsyncIterable<Buffer>): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    const next = await iterator.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  return {
    async line() {
      for (;;) {
        const end = rest.indexOf('\r\n')
        if (end >= 0) {
          const text = rest.toString('latin1', 0, end)
          rest = rest.subarray(end + 2)
          return text
        }
        if (rest.length > LINE_LIMIT) throw new Refusal('IncompleteBody')
        if (!(await more())) {
          if (rest.length > 0) throw new Refusal('IncompleteBody')
          return ''
        }
      }
    },
    async *take(size) {
      let wanted = size
      while (wanted > 0) {
        if (rest.length === 0 && !(await more())) throw new Refusal('IncompleteBody')
        const bytes = rest.subarray(0, wanted)
        rest = rest.subarray(bytes.length)
        wanted -= bytes.length
        if (bytes.length > 0) yield bytes
      }
    },
    async end() {
      if (rest.length > 0 || (await more())) throw new Refusal('IncompleteBody')
    },
  }
}
