import { readXml } from './xml-document.js'
import { rewriteWhole } from './xml-rewrite.js'

/**
 * Puts the upstream's ETags into a small request document (CompleteMultipartUpload, DeleteObjects); everything else
 * stays byte for byte. Quoted, `&quot;` and bare ETags are all known to clients.
 *
 * @returns the very same bytes where no ETag changed: whatever digest the client sent for them still fits
 * @throws S3Error MalformedXML
 */
export function resolveETagsInXml<Bytes extends Uint8Array>(
  bytes: Bytes,
  resolve: (etag: string) => string,
): Bytes | Buffer {
  if (bytes.length === 0) return bytes
  readXml(bytes, { open() {}, text() {}, close() {} })
  const rewritten = rewriteWhole(bytes, { ETag: resolve })
  return rewritten.equals(bytes) ? bytes : rewritten
}
