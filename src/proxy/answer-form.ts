import type { Pipeline, RewrittenRequest } from './messages.js'
import { postResponse, redirectLocation, successOf, type PostedObject } from '../s3/post-answer.js'
import type { Forwarded } from './forward.js'
import { bytesBody } from '../upstream/answer-body.js'
import { bucketETagPolicy } from '../keyring/select.js'
import { encodeQueryPart } from '../s3/encode.js'
import { holdAnswer } from './hold-answer.js'
import { showETag } from '../s3/etag.js'
import { unescapeXml } from '../s3/xml-text.js'

/** A PostResponse is below 4 KiB. */
const MAX_ANSWER_BYTES = 64 * 1024

/** Describes the upstream's answer or names its host. */
const REPLACED = ['content-length', 'content-type', 'transfer-encoding', 'location', 'etag']

/**
 * The answer that the client's form asked for, made of the upstream's 201: status, document or redirect, with the ETag, as its
 * header shows it by now, and a location at the proxy; `none` where no form was answered with success.
 *
 * @param origin scheme and host as the client named them
 */
export async function answerForm(
  request: RewrittenRequest,
  answer: Forwarded,
  pipeline: Pick<Pipeline, 'rules'>,
  origin: string,
): Promise<Forwarded | 'none'> {
  const { form } = request
  const { response } = answer
  if (form === 'none' || response.status >= 300 || request.target.type !== 'object') return 'none'
  const { bucket, objectKey } = request.target
  const { bytes } = await holdAnswer(response, MAX_ANSWER_BYTES)
  const inHeader = answer.shownETag === 'as it came' ? response.fields.get('etag') : answer.shownETag
  const shown = inHeader ?? showIn(bytes.toString('utf8'), bucketETagPolicy(pipeline.rules, bucket))
  const etag = shown === 'none' ? '' : shown
  const path = request.rawPath.replace(/\/$/, '')
  const posted: PostedObject = { location: `${origin}${path}/${encodeQueryPart(objectKey)}`, bucket, objectKey, etag }
  const fields = new Map([...response.fields].filter(([name]) => !REPLACED.includes(name)))
  if (shown !== 'none') fields.set('etag', shown)
  const success = successOf(form.fields)
  const document = success.type === 'status' && success.status === 201 ? postResponse(posted) : ''
  const body = Buffer.from(document, 'utf8')
  const status = success.type === 'redirect' ? 303 : success.status
  fields.set('location', success.type === 'redirect' ? redirectLocation(success.url, posted) : posted.location)
  if (status === 201) fields.set('content-type', 'application/xml')
  if (status !== 204) fields.set('content-length', String(body.length))
  return {
    ...answer,
    shownETag: 'as it came',
    response: { status, fields, body: bytesBody(body) },
  }
}

/** Ceph gives the ETag in the document alone, and without quotes. */
function showIn(document: string, policy: ReturnType<typeof bucketETagPolicy>): string {
  const [, content = ''] = /<ETag>([^<]{1,256})<\/ETag>/.exec(document) ?? []
  const text = unescapeXml(content)
  const etag = text === 'undecodable' ? '' : text.text.replaceAll('"', '')
  if (etag === '') return 'none'
  return policy === 'passthrough' ? `"${etag}"` : showETag(`"${etag}"`)
}
