import type { Attempt, RewrittenRequest } from './messages.js'
import { MAX_ERROR_BYTES, holdAnswer } from './hold-answer.js'
import { S3Error } from '../s3/error.js'
import type { UpstreamResponse } from '../upstream/types.js'

/** Codes that speak of the proxy's own credentials, clock or signature, and whose documents may quote what we signed. */
const OURS: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: 'check secretAccessKey under upstream.credentials',
  InvalidAccessKeyId: 'check accessKeyId under upstream.credentials',
  InvalidToken: 'check the session token of upstream.credentials',
  ExpiredToken: 'the credentials have expired; check their source under upstream.credentials',
  TokenRefreshRequired: 'the credentials have expired; check their source under upstream.credentials',
  RequestTimeTooSkewed: "set the clock of the proxy's machine",
  AuthorizationHeaderMalformed: 'check upstream.region',
  AuthorizationQueryParametersError: 'check upstream.region',
  MissingSecurityHeader: 'check that the upstream speaks SigV4',
}

/** An error answer of the upstream, read and judged. */
export type JudgedError =
  /** S3's own words may go to the client as they are. */
  | { readonly type: 'pass'; readonly code: string; readonly bytes: Buffer }
  /** They may not, or need explaining. */
  | { readonly type: 'replace'; readonly code: string; readonly error: S3Error }

/**
 * Decides what the client sees of an error answer (status 300 and up, with a body). A document that quotes the canonical
 * request holds the customer key; it never passes.
 */
export async function judgeUpstreamError(
  request: RewrittenRequest,
  attempt: Attempt,
  response: UpstreamResponse,
): Promise<JudgedError> {
  const { bytes } = await holdAnswer(response, MAX_ERROR_BYTES)
  const code = codeOf(bytes.toString('utf8'))
  if (response.status >= 300 && response.status < 400) return { type: 'replace', code, error: redirected(response) }
  if ((response.fields.get('content-encoding') ?? 'identity') !== 'identity') {
    const message = 'The upstream refused the request. Its answer is compressed, could not be checked and is withheld.'
    return { type: 'replace', code, error: new S3Error('InvalidRequest', { message }) }
  }
  return judgeDocument(request, attempt, bytes)
}

/** The same for the document alone: an error inside a 200 has no status of its own. */
export function judgeDocument(request: RewrittenRequest, attempt: Attempt, bytes: Buffer): JudgedError {
  const text = bytes.toString('utf8')
  const code = codeOf(text)
  const remedy = OURS[code]
  if (remedy !== undefined) return { type: 'replace', code, error: ourFault(code, remedy) }
  if (/were not signed/.test(text)) return { type: 'replace', code, error: ourFault(code, 'report this as a bug') }
  if (quotesKey(attempt, text)) {
    const error = new S3Error('InvalidRequest', {
      message: `The upstream refused the request (${code}). Its answer quoted the customer key and is withheld.`,
    })
    return { type: 'replace', code, error }
  }
  if (code === 'AccessDenied') return { type: 'replace', code, error: denied(request, attempt, text) }
  return { type: 'pass', code, bytes }
}

const codeOf = (text: string): string => /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] ?? 'none'

/** The same judgement for an answer without a body (HEAD): the status is all there is. */
export function judgeBodilessError(response: UpstreamResponse): S3Error | 'pass' {
  return response.status >= 300 && response.status < 400 && response.status !== 304 ? redirected(response) : 'pass'
}

function redirected(response: UpstreamResponse): S3Error {
  const region = response.fields.get('x-amz-bucket-region')
  return new S3Error('ServiceUnavailable', {
    message:
      `The upstream redirects to another endpoint (status ${response.status}), and the proxy follows no redirect with a ` +
      `key. Set upstream.endpoint and upstream.region for the bucket${region === undefined ? '' : `: it is in ${region}`}.`,
  })
}

function ourFault(code: string, remedy: string): S3Error {
  return new S3Error('AccessDenied', {
    message: `The upstream refused the credentials or the signature of the proxy (${code}): ${remedy}.`,
    cause: `upstream says ${code}`,
  })
}

/** A bare 403 to an encrypted write is what AWS answers while SSE-C is blocked on the bucket. */
function denied(request: RewrittenRequest, attempt: Attempt, text: string): S3Error {
  const said = /<Message>([^<]{1,500})<\/Message>/.exec(text)?.[1] ?? 'Access Denied'
  const write = request.operation.keyUse === 'write' && attempt.target !== 'plain'
  const remedy = write
    ? "Either SSE-C is blocked on the bucket (AWS does so by default since April 2026; lift it with PutBucketEncryption and BlockedEncryptionTypes NONE, read it with GetBucketEncryption), or the proxy's upstream credentials may not do this."
    : underClientKey(request)
      ? "The proxy's upstream credentials may not do this, or the object is under another key; here that may be one that a client brought itself: send it in the x-amz-server-side-encryption-customer-* headers."
      : "The proxy's upstream credentials may not do this, or the object is under another key."
  return new S3Error('AccessDenied', {
    message: `${unescapeXml(said)} (said by the upstream). ${remedy}`,
    cause: `upstream says AccessDenied to ${request.operation.name}`,
  })
}

/** Whether the rule lets clients bring keys of their own, and this request brought none. */
function underClientKey({ targetKey, sourceKey }: RewrittenRequest): boolean {
  return [targetKey, sourceKey].some((plan) => plan.type === 'candidates' && plan.reference.clientKeys === 'relay')
}

function unescapeXml(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&')
}

function quotesKey(attempt: Attempt, text: string): boolean {
  return [attempt.target, attempt.source].some((key) => {
    if (key === 'plain') return false
    const bytes = key.key.export()
    const base64 = bytes.toString('base64')
    // As sent; as in CanonicalRequestBytes, which spell text in hex with spaces between; the bytes themselves.
    const written = [base64, bytes.toString('base64url')].some((form) => sharesRun(text, form, 8))
    const squeezed = text.replace(/\s/g, '').toLowerCase()
    const spelled = [bytes.toString('hex'), Buffer.from(base64).toString('hex')]
    return written || spelled.some((form) => sharesRun(squeezed, form, 16))
  })
}

/** Whether so many characters in a row are the same: no escape of `+`, `/` and `=` hides a key from that. */
function sharesRun(text: string, form: string, length: number): boolean {
  for (let i = 0; i + length <= form.length; i += 1) if (text.includes(form.slice(i, i + length))) return true
  return false
}
