import { checkBucketPolicy } from '../bucket-policy.js'
import type { Answer, BucketCall } from '../call.js'
import { checkPolicy, missing } from '../form-policy.js'
import { readForm } from '../form.js'
import { encodeStrict } from '../encoding.js'
import { checkTags } from '../object-headers.js'
import { Refusal } from '../refusal.js'
import { childrenOf, escapeXml, leaf, parseDocument, textOf } from '../xml.js'
import { putObject } from './put-object.js'

/** A POST of a form to a bucket, which brings no signature but its policy's. */
export function isFormUpload(call: Pick<BucketCall, 'method' | 'fields' | 'query'>): boolean {
  const { method, fields, query } = call
  return (
    method === 'POST' &&
    query.size === 0 &&
    !fields.has('authorization') &&
    /^multipart\/form-data/i.test(fields.get('content-type') ?? '')
  )
}

/**
 * PostObject, as PutObject with what the form's fields say in place of headers.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export async function postObject(call: BucketCall): Promise<Answer> {
  const { fields: head, state, bucketName, bucket } = call
  const length = head.get('content-length')
  if (length === undefined) throw new Refusal('MissingContentLength')
  const form = await readForm(call.openBody().bytes, head.get('content-type') ?? '', Number(length))
  const objectKey = form.fields.get('key') ?? ''
  if (objectKey === '') throw missing('key')
  checkPolicy(form, bucketName, bucket.region, state)
  const size = Buffer.byteLength(objectKey)
  if (size > 1024) throw new Refusal('KeyTooLongError', { extra: { Size: String(size), MaxSizeAllowed: '1024' } })
  const fields = headersOf(form.fields, form.file.length)
  const accessKeyId = form.fields.get('awsaccesskeyid') ?? form.fields.get('x-amz-credential')?.split('/')[0] ?? ''
  checkBucketPolicy({ ...call, fields, accessKeyId }, bucket, 's3:PutObject', objectKey)
  const put = await putObject({
    ...call,
    objectKey,
    accessKeyId,
    fields,
    openBody: () => ({ bytes: once(form.file), trailers: new Map() }),
  })
  const location = `https://${head.get('host') ?? ''}/${bucketName}/${encodeStrict(objectKey)}`
  const headers = state.faults.quietForms ? withoutChecksums(put.headers) : put.headers
  return successAnswer(headers, form.fields, { location, bucketName, objectKey })
}

const withoutChecksums = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')))

// eslint-disable-next-line @typescript-eslint/require-await
async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Form fields under the names that headers have. */
function headersOf(fields: ReadonlyMap<string, string>, size: number): Map<string, string> {
  const headers = new Map([...fields].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]))
  const acl = headers.get('acl')
  if (acl !== undefined) headers.set('x-amz-acl', acl)
  const tagging = fields.get('tagging')
  if (tagging !== undefined) {
    const [set] = childrenOf(parseDocument(Buffer.from(tagging), 'Tagging'), 'TagSet')
    if (set === undefined) throw new Refusal('MalformedXML')
    const tags = childrenOf(set, 'Tag').map((tag) => ({ key: textOf(tag, 'Key'), value: textOf(tag, 'Value') }))
    const query = new URLSearchParams(checkTags(tags).map(({ key, value }) => [key, value] as [string, string]))
    headers.set('x-amz-tagging', query.toString())
  }
  headers.set('content-length', String(size))
  return headers
}

function successAnswer(
  headers: Readonly<Record<string, string>>,
  fields: ReadonlyMap<string, string>,
  made: { readonly location: string; readonly bucketName: string; readonly objectKey: string },
): Answer {
  const { location, bucketName, objectKey } = made
  const etag = headers['etag'] ?? ''
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect')
  if (redirect !== undefined && /^https?:\/\/./.test(redirect)) {
    const query = `bucket=${encodeStrict(bucketName)}&key=${encodeStrict(objectKey)}&etag=${encodeStrict(etag)}`
    const to = `${redirect}${redirect.includes('?') ? '&' : '?'}${query}`
    return { status: 303, headers: { ...headers, location: to }, body: { type: 'none' } }
  }
  const status = { 200: 200, 201: 201 }[fields.get('success_action_status') ?? ''] ?? 204
  const text =
    '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>' +
    `<Location>${escapeXml(location)}</Location>` +
    leaf('Bucket', bucketName) +
    leaf('Key', objectKey) +
    leaf('ETag', etag) +
    '</PostResponse>'
  return {
    status,
    headers: { ...headers, location },
    body: status === 201 ? { type: 'xml', text } : { type: 'none' },
  }
}
