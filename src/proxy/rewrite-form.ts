import type { KeyedRequest, PostForm, RewrittenRequest } from './messages.js'
import { ENCRYPTION_PREFIX, objectFields } from '../s3/post-form.js'

/** What the store may want to know of the browser: CORS rules, and policies of buckets that go by the page. */
const KEPT_HEADERS = ['origin', 'referer', 'user-agent']

/** An own boundary is at least so long, of which 32 characters are random: no file and no field can hold it. */
const MIN_BOUNDARY = 40
const MAX_BOUNDARY = 70

/**
 * The sixth stage for forms: what the upstream's form says of the object. Customer keys and signature come when it is signed.
 *
 * @throws S3Error NotImplemented, InvalidArgument
 */
export function rewriteForm(
  request: KeyedRequest,
  form: PostForm,
  randomBytes: (size: number) => Buffer,
): RewrittenRequest {
  if (request.target.type !== 'object') throw new Error('a form without its object')
  const headers = [...request.fields].filter(([name]) => KEPT_HEADERS.includes(name))
  const encryption = request.targetKey.type === 'none' ? encryptionWishes(request) : []
  return {
    ...request,
    upstreamQuery: new Map(),
    upstreamHeaders: new Map(headers),
    upstreamBody: {
      type: 'form',
      form,
      // 201 is the one answer in which Ceph tells how the object is encrypted, and its ETag.
      fields: [
        ['key', request.target.objectKey],
        ['success_action_status', '201'],
        ...objectFields(form.fields),
        ...encryption,
      ],
      boundary: ownBoundary(form.boundary.length, randomBytes),
    },
    sentMD5: () => 'none',
  }
}

/** In a plain scope the client may ask for the store's own encryption, as with PUT. */
function encryptionWishes({ fields }: KeyedRequest): (readonly [string, string])[] {
  return [...fields].filter(
    ([name]) => name.startsWith(ENCRYPTION_PREFIX) && !name.startsWith(`${ENCRYPTION_PREFIX}-customer-`),
  )
}

/** As long as the client's where that is long enough, so that the upstream's form ends just as the client's does. */
function ownBoundary(clients: number, randomBytes: (size: number) => Buffer): string {
  const length = Math.min(Math.max(clients, MIN_BOUNDARY), MAX_BOUNDARY)
  return randomBytes(16).toString('hex').padStart(length, '-')
}
