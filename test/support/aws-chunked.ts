import { createHash, createHmac } from 'node:crypto'
import type { VerifiedSignature } from '../../src/sigv4/types.js'

export interface Trailer {
  readonly name: string
  readonly value: string
}

export interface Chunking {
  readonly body: Buffer
  /** bytes of data in a chunk */
  readonly chunkSize: number
  readonly trailer?: Trailer
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/**
 * A body as a client sends it with STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or -TRAILER where there is a trailer. Written from
 * AWS's pages without anything of src, so that one can check the other.
 */
export function signedChunks({
  body,
  chunkSize,
  trailer,
  verified,
}: Chunking & { verified: VerifiedSignature }): Buffer {
  const { date, region, service } = verified.scope
  const head = `${verified.timestamp}\n${date}/${region}/${service}/aws4_request\n`
  let previous = verified.signature
  const sign = (algorithm: string, rest: string): string => {
    const text = `${algorithm}\n${head}${previous}\n${rest}`
    previous = createHmac('sha256', verified.signingKey).update(text).digest('hex')
    return previous
  }
  const out: (Buffer | string)[] = []
  for (const data of cut(body, chunkSize)) {
    const signature = sign('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(data)}`)
    out.push(`${data.length.toString(16)};chunk-signature=${signature}\r\n`, data)
    if (data.length > 0) out.push('\r\n')
  }
  if (trailer !== undefined) {
    const signature = sign('AWS4-HMAC-SHA256-TRAILER', sha256(`${trailer.name}:${trailer.value}\n`))
    out.push(`${trailer.name}:${trailer.value}\r\nx-amz-trailer-signature:${signature}\r\n`)
  }
  return joined([...out, '\r\n'])
}

/** A body as a client sends it with STREAMING-UNSIGNED-PAYLOAD-TRAILER. */
export function unsignedChunks({ body, chunkSize, trailer }: Chunking): Buffer {
  const out: (Buffer | string)[] = []
  for (const data of cut(body, chunkSize)) {
    out.push(`${data.length.toString(16)}\r\n`, data)
    if (data.length > 0) out.push('\r\n')
  }
  if (trailer !== undefined) out.push(`${trailer.name}:${trailer.value}\r\n`)
  return joined([...out, '\r\n'])
}

/** Pieces of chunkSize, the rest, and the empty one that ends the object. */
function cut(body: Buffer, chunkSize: number): readonly Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += chunkSize) pieces.push(body.subarray(at, at + chunkSize))
  return [...pieces, Buffer.alloc(0)]
}

function joined(parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
}
