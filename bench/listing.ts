import { createHash } from 'node:crypto'

const KEYS = 1000

/** Bytes in one chunk of the transfer. */
const CHUNK = 16 * 1024

/** S3's answer to ListObjectsV2 with a full page, its ETags those of SSE-C objects: 32 hex digits that are no MD5. */
function listing(): string {
  const objects = Array.from({ length: KEYS }, (_, i) => {
    const etag = createHash('md5').update(`object ${i}`).digest('hex')
    return (
      `<Contents><Key>backups/2024/01/01/host-${i % 7}/segment-${String(i).padStart(6, '0')}.tar.gz</Key>` +
      `<LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etag}&quot;</ETag>` +
      `<Size>${1024 + i}</Size><StorageClass>STANDARD</StorageClass></Contents>`
    )
  })
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>bench</Name><Prefix></Prefix><KeyCount>${KEYS}</KeyCount><MaxKeys>${KEYS}</MaxKeys><IsTruncated>false</IsTruncated>` +
    `${objects.join('')}</ListBucketResult>`
  )
}

/** The whole answer behind the head, chunked as S3 sends its listings. */
export function chunkedListing(): Buffer {
  const body = Buffer.from(listing(), 'latin1')
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += CHUNK) {
    const chunk = body.subarray(at, at + CHUNK)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'), chunk, Buffer.from('\r\n', 'latin1'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n', 'latin1')])
}
