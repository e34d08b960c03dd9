import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { sha256, type S3Answer } from '../support/s3-client.js'
import type { KeepAliveClient } from './keep-alive-client.js'

/** One object as it is to be written. */
export interface Planned {
  readonly objectKey: string
  readonly bytes: number
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of a part; 0 for a simple upload. */
  readonly partSize: number
}

const MIB = 1024 * 1024

const ODD = [
  'a//b',
  '../x',
  './z',
  '/first',
  '//',
  'a%2Fb',
  'a%252Fb',
  'a+b c',
  'é日本語🔑',
  'e\u0301 beside é',
  'folder/',
  '<&>"\'`{}|\\^~[]',
  'q?versionId=1&x=#',
  'tab\tand\u0001control',
]

const DESCRIBED = {
  'cache-control': 'private, max-age=60',
  'content-disposition': 'attachment; filename="a b.txt"',
  'content-encoding': 'br',
  'content-language': 'de',
  'content-type': 'text/x-test',
  expires: 'Wed, 25 Nov 2037 02:00:00 GMT',
}
const META = { 'x-amz-meta-owner': 'somebody', 'x-amz-meta-word': '=?UTF-8?B?w6k=?=' }
const TAGS = { 'x-amz-tagging': 'team=a%20b&c=2%2B3' }

/** So many objects: nearly all small, with everything that an object may have; some odd names; some in parts. */
export function planned(
  count: number,
  {
    prefix,
    storageClass,
    checksumsInParts,
  }: { readonly prefix: string; readonly storageClass: string; readonly checksumsInParts: boolean },
): readonly Planned[] {
  const whole = { partSize: 0 }
  const rest = 1024 - Buffer.byteLength(prefix)
  const odd = [...ODD, 'k'.repeat(rest), 'é'.repeat(Math.floor(rest / 2))].map((name, i) => ({
    ...whole,
    objectKey: `${prefix}${name}`,
    bytes: 10 + i,
    headers: META,
  }))
  const large = [0, 1, 2].map((i) => ({
    objectKey: `${prefix}large/${i}`,
    bytes: 11 * MIB + i * 1234,
    headers: {
      ...META,
      ...TAGS,
      ...DESCRIBED,
      ...(i === 1 && checksumsInParts ? { 'x-amz-checksum-algorithm': 'SHA256' } : {}),
    },
    partSize: 5 * MIB,
  }))
  const single = [
    // above the threshold, and uploaded at once: its checksum is one of the whole
    {
      ...whole,
      objectKey: `${prefix}large/whole`,
      bytes: 9 * MIB,
      headers: { ...META, ...(checksumsInParts ? crcOf(`${prefix}large/whole`, 9 * MIB) : {}) },
    },
    { ...whole, objectKey: `${prefix}large/below`, bytes: 7 * MIB, headers: { ...META, ...TAGS } },
  ]
  const small = Array.from({ length: count - odd.length - large.length - single.length }, (_, i) => {
    const objectKey = `${prefix}small/${String(i % 97).padStart(2, '0')}/object ${i}`
    const bytes = i % 10 === 9 ? 0 : 1 + ((i * 37) % 1500)
    return { ...whole, objectKey, bytes, headers: headersOf(i % 10, objectKey, bytes, storageClass) }
  })
  return [...odd, ...large, ...single, ...small]
}

function headersOf(kind: number, objectKey: string, bytes: number, storageClass: string): Record<string, string> {
  switch (kind) {
    case 1:
      return META
    case 2:
      return TAGS
    case 3:
      return DESCRIBED
    case 4:
      return { 'x-amz-storage-class': storageClass }
    case 5:
      return crcOf(objectKey, bytes)
    case 6:
      return { 'x-amz-checksum-sha256': Buffer.from(sha256(contentOf(objectKey, bytes)), 'hex').toString('base64') }
    case 7:
      return { ...META, ...TAGS, ...DESCRIBED, ...crcOf(objectKey, bytes), 'x-amz-storage-class': storageClass }
    default:
      return {}
  }
}

function crcOf(objectKey: string, bytes: number): Record<string, string> {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(contentOf(objectKey, bytes)))
  return { 'x-amz-checksum-crc32': sum.toString('base64') }
}

/** The bytes of an object: from its name, so that nobody has to keep them, and no two are the same. */
export function contentOf(seed: string, bytes: number): Buffer {
  return bytes === 0 ? Buffer.alloc(0) : createHash('shake256', { outputLength: bytes }).update(seed).digest()
}

/** Writes it as a client does. @throws where it is refused */
export async function write(client: KeepAliveClient, bucket: string, plan: Planned): Promise<'written' | S3Answer> {
  const { objectKey, bytes, headers, partSize } = plan
  const body = contentOf(objectKey, bytes)
  if (partSize === 0) {
    const answer = await client.call('PUT', bucket, objectKey, { headers, body })
    return answer.status === 200 ? 'written' : answer
  }
  const created = await client.call('POST', bucket, objectKey, { query: { uploads: '' }, headers })
  const uploadId = /<UploadId>([^<]+)</.exec(created.text)?.[1] ?? ''
  const parts: string[] = []
  for (let from = 0; from < bytes; from += partSize) {
    const partNumber = String(parts.length + 1)
    const part = body.subarray(from, from + partSize)
    const sum = Buffer.from(sha256(part), 'hex').toString('base64')
    const checksum = headers['x-amz-checksum-algorithm'] === undefined ? '' : sum
    const answer = await client.call('PUT', bucket, objectKey, {
      query: { partNumber, uploadId },
      headers: checksum === '' ? {} : { 'x-amz-checksum-sha256': checksum },
      body: part,
    })
    const said = checksum === '' ? '' : `<ChecksumSHA256>${checksum}</ChecksumSHA256>`
    parts.push(`<Part><PartNumber>${partNumber}</PartNumber><ETag>${answer.headers.etag ?? ''}</ETag>${said}</Part>`)
  }
  const document = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
  const done = await client.call('POST', bucket, objectKey, { query: { uploadId }, body: document })
  return done.status === 200 ? 'written' : done
}

/** Of HEAD, what no copy changes. */
const CHANGING =
  /^(etag|last-modified|date|x-amz-id-2|x-amz-request-id|x-amz-version-id|x-amz-server-side-encryption-customer-key-md5|connection|keep-alive|server|vary|accept-ranges|strict-transport-security|x-content-type-options|x-xss-protection|x-ratelimit-.*|content-security-policy)$/i

/** What an answer says of its object, as one text; the value of a checksum of parts depends on where they were cut. */
export function describedBy({ headers }: Pick<S3Answer, 'headers'>): string {
  const shown = Object.entries(headers).flatMap(([name, value]) => {
    if (CHANGING.test(name)) return []
    const isOfParts = /^x-amz-checksum-\w+$/.test(name) && /-\d+$/.test(String(value))
    return [`${name}: ${isOfParts ? 'of parts' : String(value)}`]
  })
  return shown.sort().join('\n')
}
