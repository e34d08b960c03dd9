import type { Forwarded } from './forward.js'
import type { Pipeline, RewrittenRequest, SentKey } from './messages.js'
import { fromKeyring } from './attempts.js'
import { isErrorDocument, mayFailLate } from './late-error.js'
import { MAX_ERROR_BYTES, holdAnswer } from './hold-answer.js'
import type { RequestRecord } from './record.js'
import type { Soon } from '../keyring/port.js'
import { noteKeys } from './note-keys.js'
import { S3Error } from '../s3/error.js'
import { provesEncryption, sentKeyMD5 } from '../s3/customer-key.js'
import { mayProveLater, mustReadBack, readBack } from './read-back.js'
import { undoWrite } from './undo-write.js'

/**
 * A 200 is not believed: a write under a customer key must come back with the algorithm and the MD5 of the very key
 * that was sent. A read without them is a plain object, which only `plaintext: allow` lets through. What fitted is
 * remembered.
 *
 * @throws S3Error InternalError (a write without proof, or an answer about another key), AccessDenied (a plain object
 *   where the rule says deny)
 */
export function checkAnswer(
  request: RewrittenRequest,
  forwarded: Forwarded,
  pipeline: Pipeline,
  record: RequestRecord,
): Soon<Forwarded> {
  const { attempt, response } = forwarded
  noteKeys(request.operation, attempt, record)
  if (response.status < 200 || response.status > 299 || attempt.target === 'plain') {
    if (response.status < 300) remember(request, 'plain', forwarded, pipeline)
    return forwarded
  }
  if (mustReadBack(request, pipeline)) return checkByReadingBack(request, forwarded, attempt.target, pipeline, record)
  if (request.operation.proof && !mayProveLater(request, pipeline)) {
    const proof = provesEncryption(response.fields, sentKeyMD5(attempt.headers))
    if (proof === 'missing' && request.operation.keyUse === 'read') {
      checkPlainRead(request, forwarded, record)
      remember(request, 'plain', forwarded, pipeline)
      return forwarded
    }
    if (proof !== 'proven') return failedOrUnproven(request, forwarded, proof, pipeline, record)
  }
  remember(request, attempt.target, forwarded, pipeline)
  rememberSource(request, forwarded, pipeline)
  return forwarded
}

async function checkByReadingBack(
  request: RewrittenRequest,
  forwarded: Forwarded,
  key: Exclude<SentKey, 'plain'>,
  pipeline: Pipeline,
  record: RequestRecord,
): Promise<Forwarded> {
  const { proof, answer } = await readBack(request, forwarded, key, pipeline)
  if (proof === 'failed') return answer
  if (proof === 'unknown') throw unverified(request, record)
  if (proof !== 'proven') await refuseUnproven(request, forwarded, proof, pipeline, record)
  remember(request, key, answer, pipeline)
  rememberSource(request, answer, pipeline)
  return answer
}

async function failedOrUnproven(
  request: RewrittenRequest,
  forwarded: Forwarded,
  proof: 'missing' | 'mismatch',
  pipeline: Pipeline,
  record: RequestRecord,
): Promise<Forwarded> {
  const { failed, answer } = await failedLate(request, forwarded)
  return failed ? answer : refuseUnproven(request, answer, proof, pipeline, record)
}

/** A copy that failed inside its 200 has made nothing: taking back what it "wrote" would remove an older object. */
async function failedLate(
  { operation }: RewrittenRequest,
  forwarded: Forwarded,
): Promise<{ readonly failed: boolean; readonly answer: Forwarded }> {
  if (!mayFailLate(operation)) return { failed: false, answer: forwarded }
  const { bytes, response } = await holdAnswer(forwarded.response, MAX_ERROR_BYTES)
  return { failed: isErrorDocument(bytes), answer: { ...forwarded, response } }
}

/** Some stores answer 200 and ignore the key of a plain object (RGW): the same as AWS's plain object, then. */
function checkPlainRead(request: RewrittenRequest, { response }: Forwarded, record: RequestRecord): void {
  record.keyVersion = 'plain'
  record.keySource = 'plain'
  const plan = request.targetKey
  const plaintext =
    plan.type === 'candidates' ? plan.reference.plaintext : plan.type === 'relayed' ? plan.plaintext : 'allow'
  if (plaintext === 'allow') return
  response.body.destroy()
  throw plainRefused(record)
}

/** What a client hears of an object that is stored in the clear where the rule says `plaintext: deny`. */
export function plainRefused(record: RequestRecord): S3Error {
  record.keyVersion = 'plain'
  record.keySource = 'plain'
  record.outcome = 'refused'
  return new S3Error('AccessDenied', {
    message:
      'Access Denied. The object is stored without a customer key, and the rule of its bucket says plaintext: deny. ' +
      'Set plaintext: allow to read it through the proxy.',
    cause: 'plain object in an encrypted scope',
  })
}

/** Nothing is removed: what may be well encrypted, or another client's by now, is not ours to delete. */
function unverified({ operation }: RewrittenRequest, record: RequestRecord): S3Error {
  record.outcome = 'encryption-unproven'
  return new S3Error('ServiceUnavailable', {
    message: `${operation.name} was carried out, but the upstream could not be asked whether the object is encrypted. Try again.`,
    cause: 'encryption unknown: reading back failed; the object was left as it is',
  })
}

async function refuseUnproven(
  request: RewrittenRequest,
  { response }: Forwarded,
  proof: 'missing' | 'mismatch',
  pipeline: Pipeline,
  record: RequestRecord,
): Promise<never> {
  response.body.destroy()
  record.outcome = 'encryption-unproven'
  const undone = request.operation.keyUse === 'read' ? 'nothing to undo' : await undoWrite(request, response, pipeline)
  throw new S3Error('InternalError', {
    message:
      `The upstream answered ${String(response.status)} to ${request.operation.name} but did not confirm encryption with ` +
      'the customer key. The request has failed. Check that the upstream supports SSE-C for this operation.',
    cause: `encryption ${proof}: ${undone}`,
  })
}

/** Drops what is remembered of an object that was written with a client's key, or after all not written. */
export function forgetWrite({ targetKey, sourceKey }: RewrittenRequest, { memory }: Pick<Pipeline, 'memory'>): void {
  if (targetKey.type === 'one' || targetKey.type === 'relayed') {
    memory.forget({ ...targetKey.scope, version: { type: 'latest' } })
  }
  if (sourceKey.type === 'candidates') memory.forget(sourceKey.scope)
}

function remember(
  request: RewrittenRequest,
  key: SentKey,
  { response }: Forwarded,
  pipeline: Pick<Pipeline, 'memory'>,
): void {
  const { memory } = pipeline
  const plan = request.targetKey
  if (plan.type === 'relayed' && request.operation.keyUse !== 'read') forgetWrite(request, pipeline)
  if (plan.type === 'none' || plan.type === 'relayed' || (key !== 'plain' && !fromKeyring(key))) return
  const entry = key === 'plain' ? 'plain' : { keyring: key.keyring, keyVersion: key.keyVersion }
  switch (request.operation.keyUse) {
    case 'read':
      if (plan.type === 'one' || hadChoice(plan)) memory.set(plan.scope, entry)
      return
    case 'upload':
      return
    case 'none':
      return
    case 'write': {
      // Creating an upload changes no object; its key travels in the upload's id.
      if (request.operation.name === 'CreateMultipartUpload') return
      memory.set({ ...plan.scope, version: { type: 'latest' } }, entry)
      const versionId = response.fields.get('x-amz-version-id')
      if (versionId !== undefined) {
        memory.set({ ...plan.scope, version: { type: 'id', versionId: versionId as never } }, entry)
      }
    }
  }
}

function rememberSource(request: RewrittenRequest, { attempt }: Forwarded, { memory }: Pick<Pipeline, 'memory'>): void {
  const { source } = attempt
  const plan = request.sourceKey
  if (plan.type !== 'candidates' || !hadChoice(plan) || (source !== 'plain' && !fromKeyring(source))) return
  memory.set(plan.scope, source === 'plain' ? 'plain' : { keyring: source.keyring, keyVersion: source.keyVersion })
}

/** Where there was one candidate, there was nothing to know, and that it fitted is no news: looking up the name costs. */
const hadChoice = ({ candidates }: { readonly candidates: readonly unknown[] }): boolean => candidates.length > 1
