import type { Pipeline, RewrittenRequest, UpstreamBody } from './messages.js'
import { formBody, lengthBehindHead } from './form-body.js'
import type { Endpoint } from '../upstream/address.js'
import type { PlannedAttempt } from './attempts.js'
import type { UpstreamRequest } from '../upstream/types.js'
import { formHead } from './form-parts.js'
import { signForm } from '../sigv4/form-signature.js'

/**
 * The seventh stage for forms: customer key and signature are fields of the form, not headers.
 *
 * @param path of the bucket
 */
export async function signFormAttempt(
  request: RewrittenRequest,
  body: Extract<UpstreamBody, { readonly type: 'form' }>,
  attempt: PlannedAttempt,
  region: string,
  endpoint: Endpoint,
  path: string,
  pipeline: Pick<Pipeline, 'now'>,
): Promise<UpstreamRequest> {
  if (request.target.type !== 'object') throw new Error('a form without its object')
  const { bucket } = request.target
  const { form, boundary } = body
  const behindHead = lengthBehindHead(form, boundary)
  const fields = signForm({
    bucket,
    fields: [...body.fields, ...Object.entries(attempt.headers)],
    minLength: form.range.min,
    maxLength: Math.min(form.range.max, behindHead),
    credentials: await request.identity.credentials(),
    region,
    now: pipeline.now(),
  })
  const head = formHead(fields, boundary)
  const length = head.length + behindHead
  return Object.freeze({
    method: 'POST',
    hostname: endpoint.hostname,
    port: endpoint.port,
    path,
    headers: Object.freeze({
      ...Object.fromEntries(request.upstreamHeaders),
      host: endpoint.hostHeader,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(length),
    }),
    body: { type: 'stream', stream: formBody(form, head, boundary, length) },
  } as const)
}
