import { createHash, randomBytes } from 'node:crypto'
import type { Fields } from '../s3/fields.js'
import { startPiece, type CustomerKey } from './at-rest.js'
import type { Call } from './call.js'
import {
  CHECKSUM_ALGORITHMS,
  checksumAlgorithm,
  isChecksumValue,
  startChecksum,
  type ChecksumAlgorithm,
} from './checksums.js'
import type { Checksum, Piece, State } from './model.js'
import { Refusal } from './refusal.js'

export interface Ingested {
  readonly piece: Piece
  /** hex, of the plaintext */
  readonly md5: string
  readonly checksum: Checksum
}

const FIVE_GIB = 5 * 1024 ** 3

/** Reads the body of PutObject or UploadPart to its end and checks all that the request promised of it. */
export async function ingest(
  call: Call,
  customerKey: CustomerKey,
  wanted: ChecksumAlgorithm | 'none' = 'none',
): Promise<Ingested> {
  checkLength(call)
  const contentMd5 = contentMd5Of(call.fields)
  const promised = promisedChecksum(call.fields)
  const algorithm = promised.type === 'none' ? wanted : promised.algorithm
  if (promised.type === 'trailer' && call.state.faults.refuseTrailers) throw new Refusal('MissingContentLength')

  const piece = startPiece(customerKey)
  const md5 = createHash('md5')
  const running = algorithm === 'none' ? undefined : startChecksum(algorithm)
  const payload = call.openBody()
  for await (const bytes of payload.bytes) {
    md5.update(bytes)
    running?.update(bytes)
    piece.add(bytes)
  }

  const digest = md5.digest()
  if (contentMd5 !== undefined && !contentMd5.equals(digest)) {
    throw new Refusal('BadDigest', {
      extra: { ExpectedDigest: contentMd5.toString('hex'), CalculatedDigest: digest.toString('base64') },
    })
  }
  let checksum: Checksum = { type: 'none' }
  if (running !== undefined && algorithm !== 'none') {
    checksum = { type: 'checksum', algorithm, value: running.digest(), coverage: 'FULL_OBJECT' }
    if (promised.type !== 'none') {
      checkPromise(promised.type === 'header' ? promised.value : trailerValue(payload.trailers, algorithm), checksum)
    }
  }
  return { piece: piece.finish(), md5: digest.toString('hex'), checksum: kept(checksum, call.state) }
}

function checkLength(call: Call): void {
  const declared = call.fields.get('x-amz-decoded-content-length') ?? call.fields.get('content-length')
  if (declared === undefined && !call.fields.has('transfer-encoding')) throw new Refusal('MissingContentLength')
  if (Number(declared) > FIVE_GIB) {
    throw new Refusal('EntityTooLarge', {
      extra: { ProposedSize: declared ?? '', MaxSizeAllowed: String(FIVE_GIB) },
    })
  }
}

/** Content-MD5 in bytes. @throws Refusal InvalidDigest */
export function contentMd5Of(fields: Fields): Buffer | undefined {
  const value = fields.get('content-md5')
  if (value === undefined) return undefined
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== 16) throw new Refusal('InvalidDigest', { extra: { 'Content-MD5': value.slice(0, 200) } })
  return bytes
}

type Promised =
  | { readonly type: 'none' }
  | { readonly type: 'header'; readonly algorithm: ChecksumAlgorithm; readonly value: string }
  | { readonly type: 'trailer'; readonly algorithm: ChecksumAlgorithm }

/** The one additional checksum that a request's headers promise. @throws Refusal InvalidRequest */
export function promisedChecksum(fields: Fields): Promised {
  const headers = CHECKSUM_ALGORITHMS.filter((algorithm) => fields.has(`x-amz-checksum-${algorithm}`))
  const trailer = fields.get('x-amz-trailer')?.trim().toLowerCase()
  if (headers.length > 1 || (headers.length === 1 && trailer !== undefined)) {
    throw new Refusal('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    })
  }
  const [inHeader] = headers
  if (inHeader !== undefined) {
    const value = fields.get(`x-amz-checksum-${inHeader}`) ?? ''
    if (!isChecksumValue(inHeader, value)) throw invalidValue(inHeader)
    return { type: 'header', algorithm: inHeader, value }
  }
  if (trailer !== undefined) {
    const algorithm = checksumAlgorithm(trailer.replace(/^x-amz-checksum-/, ''))
    if (algorithm === 'unknown' || !trailer.startsWith('x-amz-checksum-')) {
      throw new Refusal('InvalidRequest', {
        message: 'The value specified in the x-amz-trailer header is not supported',
      })
    }
    return { type: 'trailer', algorithm }
  }
  if (fields.has('x-amz-sdk-checksum-algorithm')) {
    throw new Refusal('InvalidRequest', {
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    })
  }
  return { type: 'none' }
}

function trailerValue(trailers: ReadonlyMap<string, string>, algorithm: ChecksumAlgorithm): string {
  const value = trailers.get(`x-amz-checksum-${algorithm}`)
  if (value === undefined) throw new Refusal('MalformedTrailerError')
  if (!isChecksumValue(algorithm, value)) throw invalidValue(algorithm)
  return value
}

function invalidValue(algorithm: ChecksumAlgorithm): Refusal {
  return new Refusal('InvalidRequest', { message: `Value for x-amz-checksum-${algorithm} header is invalid.` })
}

function checkPromise(promised: string, computed: Extract<Checksum, { type: 'checksum' }>): void {
  if (promised === computed.value) return
  throw new Refusal('BadDigest', {
    message: `The ${computed.algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
  })
}

export function kept(checksum: Checksum, { faults }: State): Checksum {
  return checksum.type === 'none' ? checksum : { ...checksum, value: faults.keepChecksum(checksum.value) }
}

/** MD5 of the content, or random under a customer key: then it differs at every write of the same bytes. */
export function etagFor(state: State, customerKey: CustomerKey, md5: string): string {
  return customerKey.type === 'given' && !state.faults.plaintextEtags ? randomBytes(16).toString('hex') : md5
}
