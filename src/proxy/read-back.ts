import type { Forwarded } from './forward.js'
import type { Pipeline, RewrittenRequest, SentKey } from './messages.js'
import { customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import { holdAnswer } from './hold-answer.js'
import { isErrorDocument } from './late-error.js'
import { probeOf, versionQuery } from './probe.js'
import { S3Error } from '../s3/error.js'
import { regionToUse } from '../upstream/region-to-use.js'
import { signAttempt } from './sign-attempt.js'

/** Answers to CopyObject and CompleteMultipartUpload are below 4 KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024
const READ_BACK_TIMEOUT_MS = 30_000
const READ_BACK_ATTEMPTS = 3

/** What makes an object of its own accord, so that a HEAD can tell how it is stored. */
const MAKES_OBJECT = new Set(['CopyObject', 'CompleteMultipartUpload', 'PostObject'])

/** Whether this upstream is asked a second time, because its answers to some writes prove nothing (MinIO). */
export function mustReadBack(request: RewrittenRequest, { upstream }: Pick<Pipeline, 'upstream'>): boolean {
  return upstream.proof === 'read-back' && MAKES_OBJECT.has(request.operation.name)
}

/**
 * Whether an answer without proof may pass for now: no object exists yet, and completion will be read back. Not where
 * the key is the client's: completion does not bring it, so every part must prove itself.
 */
export function mayProveLater(request: RewrittenRequest, { upstream }: Pick<Pipeline, 'upstream'>): boolean {
  const { name } = request.operation
  const relayed = request.targetKey.type === 'relayed'
  if (upstream.proof !== 'read-back') return false
  return name === 'CreateMultipartUpload' || (name === 'UploadPartCopy' && !relayed)
}

/**
 * Asks for the object that was just made, with its key: S3 answers with the proof only where it is stored under that
 * very key. The answer to the write is held until then.
 *
 * @returns the proof, and the answer with its body as it was; `unknown` where nobody could tell how the object is
 *   stored, `failed` where the answer is an error inside a 200: nothing was made
 */
export async function readBack(
  request: RewrittenRequest,
  written: Forwarded,
  key: Exclude<SentKey, 'plain'>,
  pipeline: Pipeline,
): Promise<{ readonly proof: ReturnType<typeof provesEncryption> | 'unknown' | 'failed'; readonly answer: Forwarded }> {
  const { response } = written
  const held = await holdAnswer(response, MAX_ANSWER_BYTES)
  if (!held.whole) throw new S3Error('InternalError', { cause: 'an answer of the upstream is too long' })
  const { bytes } = held
  const answer = { ...written, response: held.response }
  if (isErrorDocument(bytes)) return { proof: 'failed', answer }
  const versionId = response.fields.get('x-amz-version-id')
  const question = probeOf(request, { method: 'HEAD', target: request.target, query: versionQuery(versionId) })
  const attemptToRead = { target: key, source: 'plain', headers: targetHeaders(key.key) } as const
  for (let attempts = 1; attempts <= READ_BACK_ATTEMPTS; attempts += 1) {
    const signed = await signAttempt(question, attemptToRead, regionToUse(request.target, pipeline), pipeline)
    const head = await pipeline
      .transport(signed, AbortSignal.timeout(READ_BACK_TIMEOUT_MS))
      .catch(() => 'none' as const)
    if (head === 'none') continue
    head.body.resume()
    if (head.status === 200) return { proof: provesEncryption(head.fields, customerKeyMD5(key.key)), answer }
    // What S3 answers to a needless key. A wrong key is 403: somebody else's object by now, not one in the clear.
    if (head.status === 400) return { proof: 'missing', answer }
    if (head.status < 500) break
  }
  return { proof: 'unknown', answer }
}
