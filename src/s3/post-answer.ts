import { encodeQueryPart } from './encode.js'
import { escapeXml } from './xml-text.js'

/** How a form wants to be answered when the object is there. */
export type PostSuccess =
  { readonly type: 'status'; readonly status: 200 | 201 | 204 } | { readonly type: 'redirect'; readonly url: string }

/**
 * A redirect before a status; what is no http URL, or no status of the three, counts as absent, as with S3. `redirect` is
 * the old name of `success_action_redirect`.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
 */
export function successOf(fields: ReadonlyMap<string, string>): PostSuccess {
  const url = fields.get('success_action_redirect') ?? fields.get('redirect')
  if (url !== undefined && isWebUrl(url)) return { type: 'redirect', url }
  const status = fields.get('success_action_status')
  return { type: 'status', status: status === '200' ? 200 : status === '201' ? 201 : 204 }
}

/** What was made; `etag` with its quotes. */
export interface PostedObject {
  readonly location: string
  readonly bucket: string
  readonly objectKey: string
  readonly etag: string
}

/** The redirect's target: the form's URL with bucket, key and etag in its query. */
export function redirectLocation(url: string, { bucket, objectKey, etag }: PostedObject): string {
  const hash = url.indexOf('#')
  const [page, fragment] = hash < 0 ? [url, ''] : [url.slice(0, hash), url.slice(hash)]
  const query = [
    ['bucket', bucket],
    ['key', objectKey],
    ['etag', etag],
  ].map(([name, value]) => `${name as string}=${encodeQueryPart(value as string)}`)
  return `${page}${page.includes('?') ? '&' : '?'}${query.join('&')}${fragment}`
}

/** The document of a 201. */
export function postResponse({ location, bucket, objectKey, etag }: PostedObject): string {
  const elements = [
    ['Location', location],
    ['Bucket', bucket],
    ['Key', objectKey],
    ['ETag', etag],
  ].map(([name, text]) => `<${name as string}>${escapeXml(text as string)}</${name as string}>`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${elements.join('')}</PostResponse>`
}

/** A URL that can stand in a header as it is. */
function isWebUrl(url: string): boolean {
  return /^https?:\/\/[\x21-\x7e]+$/i.test(url) && URL.canParse(url)
}
