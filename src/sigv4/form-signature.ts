import { createHmac } from 'node:crypto'
import { S3Error } from '../s3/error.js'
import { missingField } from '../s3/post-form.js'
import { ALGORITHM } from './authorization.js'
import {
  keptSigningKey,
  rememberSigningKey,
  sameSignature,
  scopeText,
  signatureOf,
  signingKeyOf,
} from './signing-key.js'
import { formatTimestamp, parseTimestamp } from './timestamp.js'
import type { AwsCredentials, CredentialScope, SecretAccessKey } from './types.js'

/** A form's policy and who is said to have signed it; nothing is verified. */
export interface FormAuthorization {
  readonly scope: CredentialScope
  /** base64, as it was signed */
  readonly policy: string
  /** hex */
  readonly signature: string
}

const CREDENTIAL = /^([\x21-\x7e]+)\/(\d{8})\/([A-Za-z0-9_-]+)\/([A-Za-z0-9_-]+)\/aws4_request$/

/**
 * Reads a form's version-4 fields.
 *
 * @throws S3Error InvalidArgument, NotImplemented (SigV4A)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 */
export function parseFormAuthorization(fields: ReadonlyMap<string, string>): FormAuthorization {
  const need = (name: string): string => {
    const value = fields.get(name.toLowerCase()) ?? ''
    if (value === '') throw missingField(name)
    return value
  }
  const policy = need('policy')
  const algorithm = need('X-Amz-Algorithm')
  if (algorithm.startsWith('AWS4-ECDSA')) {
    throw new S3Error('NotImplemented', { message: `SigV4A is not supported. Please use ${ALGORITHM}.` })
  }
  if (algorithm !== ALGORITHM) throw invalid('X-Amz-Algorithm', `X-Amz-Algorithm only supports "${ALGORITHM}".`)
  const credential = need('X-Amz-Credential')
  const timestamp = need('X-Amz-Date')
  if (parseTimestamp(timestamp) === 'invalid') {
    throw invalid('X-Amz-Date', "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  const [, accessKeyId = '', date = '', region = '', service = ''] = CREDENTIAL.exec(credential) ?? []
  if (accessKeyId === '') {
    throw invalid(
      'X-Amz-Credential',
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  if (service !== 's3') {
    throw invalid('X-Amz-Credential', `incorrect service "${service}". This endpoint belongs to "s3".`)
  }
  if (!timestamp.startsWith(date)) {
    throw invalid(
      'X-Amz-Credential',
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    )
  }
  return { scope: { accessKeyId, date, region, service }, policy, signature: need('X-Amz-Signature') }
}

/** @throws S3Error InvalidArgument (another region), SignatureDoesNotMatch */
export function verifyFormSignature(
  { scope, policy, signature }: FormAuthorization,
  secretAccessKey: SecretAccessKey,
  regions: readonly string[],
): void {
  const [expected] = regions
  if (expected !== undefined && !regions.includes(scope.region)) {
    throw invalid('X-Amz-Credential', `the region '${scope.region}' is wrong; expecting '${expected}'`)
  }
  const signingKey = signingKeyOf(secretAccessKey, scope)
  const calculated = createHmac('sha256', signingKey).update(policy, 'utf8').digest('hex')
  if (!sameSignature(calculated, signature)) throw formMismatch(scope.accessKeyId, policy, signature)
  rememberSigningKey(secretAccessKey, scope, signingKey)
}

/** A form's string to sign is its policy in base64, for both versions. One that holds a client's own key is not repeated. */
export function formMismatch(accessKeyId: string, policy: string, signature: string): S3Error {
  const holdsKey = /customer-key/i.test(Buffer.from(policy, 'base64').toString('latin1'))
  const shown: Record<string, string> = holdsKey ? {} : { StringToSign: policy }
  return new S3Error('SignatureDoesNotMatch', {
    extra: { AWSAccessKeyId: accessKeyId, ...shown, SignatureProvided: signature.slice(0, 128) },
  })
}

export interface FormToSign {
  readonly bucket: string
  /** Fields in the order in which they are sent; each gets a condition. */
  readonly fields: readonly (readonly [string, string])[]
  /** bytes */
  readonly minLength: number
  readonly maxLength: number
  readonly credentials: AwsCredentials
  readonly region: string
  readonly now: Date
}

/** Long enough for the head of the form to arrive; the store checks it then. */
const POLICY_LIFETIME_MS = 15 * 60 * 1000

/**
 * Signs a form for the upstream: the given fields and those that authenticate them.
 *
 * Every condition is exact but two kinds. The customer key is not repeated in the policy, because S3 quotes the policy where it
 * finds the signature wrong. And a value is only compared up to its first `$`, which S3 reads as the start of a name.
 */
export function signForm(form: FormToSign): readonly (readonly [string, string])[] {
  const { credentials, region, now } = form
  const timestamp = formatTimestamp(now)
  const scope = { accessKeyId: credentials.accessKeyId, date: timestamp.slice(0, 8), region, service: 's3' }
  const fields: (readonly [string, string])[] = [
    ...form.fields,
    ['x-amz-algorithm', ALGORITHM],
    ['x-amz-credential', `${scope.accessKeyId}/${scopeText(scope)}`],
    ['x-amz-date', timestamp],
    ...(credentials.sessionToken === 'none'
      ? []
      : [['x-amz-security-token', credentials.sessionToken.reveal()] as const]),
  ]
  const document = {
    expiration: new Date(now.getTime() + POLICY_LIFETIME_MS).toISOString(),
    conditions: [
      { bucket: form.bucket },
      ['content-length-range', form.minLength, form.maxLength],
      ...fields.map(([name, value]) => conditionFor(name, value)),
    ],
  }
  const policy = Buffer.from(JSON.stringify(document), 'utf8').toString('base64')
  const signature = signatureOf(keptSigningKey(credentials.secretAccessKey, scope), policy)
  return [...fields, ['policy', policy], ['x-amz-signature', signature]]
}

function conditionFor(name: string, value: string): readonly [string, string, string] {
  const secret = name.endsWith('-customer-key') || name === 'x-amz-security-token'
  const dollar = secret ? 0 : value.indexOf('$')
  return dollar < 0 ? ['eq', `$${name}`, value] : ['starts-with', `$${name}`, value.slice(0, dollar)]
}

function invalid(name: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, extra: { ArgumentName: name } })
}
