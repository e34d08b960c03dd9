import { S3Error } from '../s3/error.js'
import { canonicalValue } from './canonical-request.js'

export interface TrailerSection {
  /** lower-case name → value */
  readonly trailers: ReadonlyMap<string, string>
  /** hex, `none` where the section has no x-amz-trailer-signature */
  readonly signature: string | 'none'
}

/**
 * What follows the chunk of size 0: lines `name:value`, then an empty one.
 *
 * A line may end in LF alone and an empty one may stand before the signature: minio-go writes `…:value\n\r\n` there.
 *
 * @param section a byte string, everything between the CRLF of the last chunk's header and the end of the body
 * @param declared the names that x-amz-trailer announced
 * @throws S3Error IncompleteBody (cut off, or more bytes after the end), MalformedTrailerError
 */
export function parseTrailerSection(section: string, declared: readonly string[]): TrailerSection {
  const whole = section === '\r\n' || (section.endsWith('\r\n\r\n') && !section.endsWith('\r\n\r\n\r\n'))
  const lines = section.split(/\r?\n/).filter((line) => line !== '')
  if (!whole || (lines.length === 0 && section !== '\r\n')) throw incompleteBody()
  const found = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, colon).toLowerCase(), canonicalValue(line.slice(colon + 1))]
    if (colon < 0 || !/^[a-z0-9-]{1,64}$/.test(name) || !/^[\x21-\x7e]{0,256}$/.test(value) || found.has(name)) {
      throw malformedTrailer()
    }
    found.set(name, value)
  }
  const signature = found.get('x-amz-trailer-signature') ?? 'none'
  found.delete('x-amz-trailer-signature')
  if (found.size !== declared.length || !declared.every((name) => found.has(name))) throw malformedTrailer()
  return { trailers: found, signature }
}

/** Says what the HTTP library could not notice: the framing inside the body ended early or makes no sense. */
export function incompleteBody(): S3Error {
  return new S3Error('IncompleteBody', { message: 'The request body terminated unexpectedly' })
}

export function malformedTrailer(): S3Error {
  return new S3Error('MalformedTrailerError', {
    message: 'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  })
}
