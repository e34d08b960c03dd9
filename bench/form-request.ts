import { BLOCK } from './content.js'
import type { LoadRequest } from './load-job.js'
import type { Scenario } from './scenarios.js'
import type { Workshop } from './workshop.js'
import { encodeForm, fieldParts, filePart, formType, v2Form, v4Form } from '../test/support/post-form.js'

/**
 * A browser's form, with a policy for its object alone. S3 takes customer keys of forms from their fields: where nobody adds
 * them (direct, and behind nginx, which cannot), the client's form has them itself.
 */
export function formRequest(
  { bytes, signature }: Scenario,
  bucket: string,
  objectKey: string,
  headers: Readonly<Record<string, string>>,
  customerKey: Readonly<Record<string, string>>,
  { accessKeyId, secretAccessKey }: Workshop,
): LoadRequest {
  const fields = { key: objectKey, success_action_status: '200', ...customerKey }
  const sign = signature === 'v2' ? v2Form : v4Form
  const conditions = [['content-length-range', 0, bytes]]
  const signed = sign({ credentials: { accessKeyId, secretAccessKey }, bucket, fields, conditions })
  const body = encodeForm([...fieldParts(signed), filePart(BLOCK.subarray(0, bytes))])
  const all = { ...headers, 'content-type': formType(), 'content-length': String(body.length) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return {
    head: `POST /${bucket} HTTP/1.1\r\n${lines.join('')}\r\n`,
    body: [{ text: body.toString('latin1') }],
    reads: 'fast',
  }
}
