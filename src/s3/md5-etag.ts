/*
 * The `md5` policy: where an object carries its MD5 as S3's additional checksum, that is shown as its ETag, in the form that
 * ETags have: hex, and `-N` behind it for an upload in N parts, whose checksum is the MD5 of the parts' MD5s.
 */
const CHECKSUM = /^([A-Za-z0-9+/]{21}[AQgw]==)(-[1-9]\d{0,4})?$/
const TOKEN = /(?<=^|[\s,"/;])([0-9a-f]{32}(?:-[1-9]\d{0,4})?)(?=$|[\s,"&])/gi

/** What S3 says of an object: its own ETag, and the one to show in its place where the object carries an MD5. Without quotes. */
export interface ObjectETag {
  readonly raw: string
  readonly md5: string | 'none'
}

/** Name of the header, trailer and form field. */
export const MD5_CHECKSUM = 'x-amz-checksum-md5'

/** An MD5 checksum (base64, `-N` behind it where it is one of parts) as an ETag; `none` where it is none. */
export function md5ETag(checksum: string | undefined): string | 'none' {
  const [, base64, parts = ''] = CHECKSUM.exec(checksum ?? '') ?? []
  return base64 === undefined ? 'none' : Buffer.from(base64, 'base64').toString('hex') + parts
}

/** Whether this is the checksum of bytes, not of parts. */
export function isMD5(checksum: string): boolean {
  return CHECKSUM.test(checksum) && !checksum.includes('-')
}

/** Whether a client's ETag or list of them has one that may be an MD5 that was shown. `X-0` never is. */
export function mayNameMD5(value: string): boolean {
  return value.search(TOKEN) >= 0
}

/** A client's ETag or list of them with the upstream's ETag in place of the MD5 that was shown for it. */
export function resolveMD5(value: string, { raw, md5 }: ObjectETag): string {
  return value.replace(TOKEN, (etag) => (etag.toLowerCase() === md5 ? raw : etag))
}

/** An entity tag without quotes and `W/`. */
export function bareETag(value: string): string {
  return value
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/s, '$1')
}
