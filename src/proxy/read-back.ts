import type { Forwarded } from './forward.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import type { DataKey } from '../keyring/port.js'
import { EMPTY_SHA256 } from './forward.js'
import { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { regionToUse } from './region-to-use.js'
import { signAttempt } from './sign-attempt.js'

/** Answers to CopyObject and CompleteMultipartUpload are below 4 KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024
const READ_BACK_TIMEOUT_MS = 30_000

/** What makes an object of its own accord, so that a HEAD can tell how it is stored. */
const MAKES_OBJECT = new Set(['CopyObject', 'CompleteMultipartUpload'])

/** Whether this upstream is asked a second time, because its answers to some writes prove nothing (MinIO). */
export function mustReadBack(request: RewrittenRequest, { upstream }: Pick<Pipeline, 'upstream'>): boolean {
  return upstream.proof === 'read-back' && MAKES_OBJECT.has(request.operation.name)
}

/** Whether an answer without proof may pass for now: no object exists yet, and completion will be read back. */
export function mayProveLater(request: RewrittenRequest, { upstream }: Pick<Pipeline, 'upstream'>): boolean {
  const { name } = request.operation
  return upstream.proof === 'read-back' && (name === 'CreateMultipartUpload' || name === 'UploadPartCopy')
}

/**
 * Asks for the object that was just made, with its key: S3 answers with the proof only where it is stored under that
 * very key. The answer to the write is held until then.
 *
 * @returns the proof, and the answer with its body as it was
 */
export async function readBack(
  request: RewrittenRequest,
  { attempt, response }: Forwarded,
  key: DataKey,
  pipeline: Pipeline,
): Promise<{ readonly proof: ReturnType<typeof provesEncryption>; readonly answer: Forwarded }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new S3Error('InternalError', { cause: 'an answer of the upstream is too long' })
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const answer = { attempt, response: { ...response, body: Readable.from([bytes], { objectMode: false }) } }
  // An error inside the 200: nothing was made, and the client is told so by the document itself.
  if (bytes.includes('<Error>')) return { proof: 'proven', answer }
  const versionId = response.fields.get('x-amz-version-id')
  const question: RewrittenRequest = {
    ...request,
    method: 'HEAD',
    upstreamQuery: new Map(versionId === undefined ? [] : [['versionId', versionId]]),
    upstreamHeaders: { 'x-amz-content-sha256': EMPTY_SHA256 },
    upstreamBody: { type: 'none' },
  }
  const attemptToRead = { target: key, source: 'plain', headers: targetHeaders(key.key) } as const
  const signed = await signAttempt(question, attemptToRead, regionToUse(request.target, pipeline), pipeline)
  const head = await pipeline.transport(signed, AbortSignal.timeout(READ_BACK_TIMEOUT_MS))
  head.body.destroy()
  return { proof: head.status === 200 ? provesEncryption(head.fields, customerKeyMD5(key.key)) : 'missing', answer }
}
