import type { AuthenticatedRequest, Identity, ParsedRequest, Pipeline, PostForm } from './messages.js'
import { ANY_LENGTH, checkPostPolicy, type LengthRange } from '../s3/check-post-policy.js'
import { ENCRYPTION_PREFIX, expandFilename, missingField } from '../s3/post-form.js'
import { formMismatch, parseFormAuthorization, verifyFormSignature } from '../sigv4/form-signature.js'
import type { Fields } from '../s3/fields.js'
import type { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { anonymousIdentity, knownIdentity } from './authenticate.js'
import { isFormType, parseFormBoundary } from '../s3/form-boundary.js'
import { parsePostPolicy } from '../s3/post-policy.js'
import { parseTarget } from '../s3/target.js'
import { readHead } from './read-form-head.js'
import { sameSignature } from '../sigv4/signing-key.js'
import { version2Signature } from '../sigv2/signature.js'

type Needs = Pick<Pipeline, 'identities' | 'anonymous' | 'baseDomains' | 'clientRegions' | 'now'>

/** Whether this is a browser's form, which proves by its fields, not by its head, who signed it. */
export function isForm(request: ParsedRequest, { baseDomains }: Pick<Pipeline, 'baseDomains'>): boolean {
  if (request.method !== 'POST' || !isFormType(request.fields.get('content-type') ?? '')) return false
  if (request.fields.has('authorization') || request.query.size > 0) return false
  return parseTarget(request.rawPath, request.host, baseDomains).type === 'bucket'
}

/**
 * The second stage for forms: reads the fields before the file, finds who signed their policy, and holds them against it. A form
 * without any authentication is anonymous, as a request without a signature is. The file stays where it is.
 *
 * @param openBody called once, after what the head alone tells was found good
 * @throws S3Error MissingContentLength, MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument, RequestTimeout,
 *   InvalidAccessKeyId, InvalidRequest, SignatureDoesNotMatch, InvalidPolicyDocument, AccessDenied
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html
 */
export async function authenticateForm(
  request: ParsedRequest,
  pipeline: Needs,
  listenerAnonymous: string | 'none',
  openBody: () => Readable,
): Promise<AuthenticatedRequest> {
  const target = parseTarget(request.rawPath, request.host, pipeline.baseDomains)
  if (target.type !== 'bucket') throw new S3Error('InternalError')
  if (request.length === 'chunked') throw new S3Error('MissingContentLength')
  const boundary = parseFormBoundary(request.fields.get('content-type') ?? '')
  const body = openBody()
  try {
    const { head, rest } = await readHead(body, boundary)
    const fields = expandFilename(head)
    const signer = signerOf(request, fields, pipeline, listenerAnonymous)
    const range: LengthRange =
      signer.policy === 'none'
        ? ANY_LENGTH
        : checkPostPolicy(parsePostPolicy(signer.policy), fields, target.bucket, pipeline.now(), signer.lifetimeMs)
    const form: PostForm = {
      type: 'form',
      fields,
      boundary,
      signed: signer.signed,
      range,
      remaining: request.length - head.size,
      rest,
      body,
    }
    return {
      ...request,
      fields: fieldsOfForm(request.fields, fields),
      identity: signer.identity,
      authorization: { type: 'none' },
      verified: 'none',
      payload: { type: 'unsigned' },
      form,
    }
  } catch (error) {
    body.destroy()
    throw error
  }
}

interface Signer {
  readonly identity: Identity
  /** The policy, verified; `none` where nobody signed. */
  readonly policy: string | 'none'
  /** How far ahead the policy's end may lie, in milliseconds. */
  readonly lifetimeMs: number
  readonly signed: PostForm['signed']
}

function signerOf(
  request: ParsedRequest,
  fields: ReadonlyMap<string, string>,
  pipeline: Needs,
  listenerAnonymous: string | 'none',
): Signer {
  const version4 = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-signature'].some((name) => fields.has(name))
  const version2 = ['awsaccesskeyid', 'signature'].some((name) => fields.has(name))
  if (version4 && version2) {
    throw new S3Error('InvalidArgument', {
      message: 'Only one auth mechanism allowed; the form has fields of signature version 2 and of version 4.',
      extra: { ArgumentName: 'X-Amz-Signature' },
    })
  }
  if (version4) {
    const authorization = parseFormAuthorization(fields)
    const { identity, accessKey } = knownIdentity(authorization.scope.accessKeyId, 'v4', pipeline.identities)
    verifyFormSignature(authorization, accessKey.secretAccessKey, pipeline.clientRegions)
    return { identity, policy: authorization.policy, signed: 'v4', lifetimeMs: Infinity }
  }
  if (!version2 && !fields.has('policy')) {
    const identity = anonymousIdentity(request, pipeline, listenerAnonymous)
    return { identity, policy: 'none', signed: 'none', lifetimeMs: Infinity }
  }
  const need = (name: string): string => {
    const value = fields.get(name.toLowerCase()) ?? ''
    if (value === '') throw missingField(name)
    return value
  }
  const [accessKeyId, policy, signature] = [need('AWSAccessKeyId'), need('policy'), need('signature')]
  const { identity, accessKey } = knownIdentity(accessKeyId, 'v2', pipeline.identities)
  if (!sameSignature(version2Signature(accessKey.secretAccessKey, policy), signature)) {
    throw formMismatch(accessKeyId, policy, signature)
  }
  return { identity, policy, signed: 'v2', lifetimeMs: accessKey.presignedV2LifetimeMs }
}

/**
 * The form's fields take the place of headers: of the head nothing that S3 would read as such is left. What the form says of
 * encryption stands where the later stages look for it.
 */
function fieldsOfForm(head: Fields, form: ReadonlyMap<string, string>): Fields {
  const fields = new Map<string, string>()
  for (const [name, value] of head) if (!name.startsWith('x-amz-')) fields.set(name, value)
  for (const [name, value] of form) {
    if (!name.startsWith(ENCRYPTION_PREFIX)) continue
    if (/[^\t\x20-\x7e]/.test(value)) {
      throw new S3Error('InvalidArgument', {
        message: `The form field ${name.slice(0, 128)} holds a character that it may not hold.`,
        extra: { ArgumentName: name.slice(0, 128) },
      })
    }
    fields.set(name, value)
  }
  return fields
}
