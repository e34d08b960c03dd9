import type { KmsFailure } from './kms-port.js'

/**
 * KMS's errors that pass by themselves. What is not here is told by its HTTP status: 429 is throttled, 5xx and no answer
 * at all are away, and the rest (AccessDeniedException, DisabledException, KMSInvalidStateException, NotFoundException,
 * InvalidCiphertextException, IncorrectKeyException, InvalidKeyUsageException, ValidationException, a signature that is
 * refused …) is denied: to try again changes nothing.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html#API_GenerateMac_Errors
 */
const PASSING: ReadonlyMap<string, KmsFailure['type']> = new Map([
  ['ThrottlingException', 'throttled'],
  ['Throttling', 'throttled'],
  ['ThrottledException', 'throttled'],
  ['RequestThrottled', 'throttled'],
  ['RequestThrottledException', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['SlowDown', 'throttled'],
  // "You can retry the request", says its page: a key store of one's own that does not answer.
  ['KeyUnavailableException', 'away'],
  ['DependencyTimeoutException', 'away'],
  ['KMSInternalException', 'away'],
  ['InternalFailure', 'away'],
  ['InternalServerError', 'away'],
  ['ServiceUnavailable', 'away'],
  ['ServiceUnavailableException', 'away'],
  ['RequestTimeout', 'away'],
  ['RequestTimeoutException', 'away'],
  // Fresh credentials and a clock that is set right are on their way, usually.
  ['ExpiredTokenException', 'away'],
  ['ExpiredToken', 'away'],
  ['RequestExpired', 'away'],
  ['CredentialsProviderError', 'away'],
])

/** What an error of the AWS SDK's client means. Only KMS's own denials are quoted: they name principals and keys. */
export function kmsFailure(error: unknown): KmsFailure {
  const { name, status, message } = parts(error)
  const type = PASSING.get(name) ?? typeOf(status)
  const said = type === 'denied' && message !== '' ? `: ${quoted(message)}` : ''
  const code = codeOf(error)
  return { type, reason: `${name}${code === '' ? '' : ` (${code})`}${said}` }
}

function typeOf(status: number | 'none'): KmsFailure['type'] {
  if (status === 429) return 'throttled'
  // A redirect is not followed and is no answer.
  return status === 'none' || status >= 500 || status < 400 ? 'away' : 'denied'
}

interface Parts {
  readonly name: string
  readonly status: number | 'none'
  readonly message: string
}

function parts(error: unknown): Parts {
  if (!(error instanceof Error)) return { name: 'UnknownError', status: 'none', message: '' }
  const metadata = '$metadata' in error ? (error.$metadata as { readonly httpStatusCode?: number } | undefined) : {}
  return {
    name: /^[A-Za-z0-9.:#_-]{1,80}$/.test(error.name) ? error.name : 'UnknownError',
    status: metadata?.httpStatusCode ?? 'none',
    message: error.message,
  }
}

/** ECONNREFUSED, CERT_HAS_EXPIRED and the like, wherever it is in the chain of causes. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return /^[A-Z0-9_]{1,60}$/.test(code) && code !== error.name ? code : codeOf(error.cause)
}

/** Anything that could be key bytes in base64 or hex is left out, whoever the server is. */
const quoted = (message: string): string =>
  message
    .replace(/[^\x21-\x7e]+/g, ' ')
    .replace(/[A-Za-z0-9+/=]{40,}/g, '…')
    .slice(0, 300)
