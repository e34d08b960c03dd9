const CENSORED = '[redacted]'
const DEEPEST = 6

/** Names, lower-case without `-` and `_`, whose values never get into a log, at whatever depth. */
const SECRET_NAMES = new Set([
  'authorization',
  'cookie',
  'datakey',
  'key',
  'masterkey',
  'passphrase',
  'password',
  'privatekey',
  'secret',
  'secretaccesskey',
  'securitytoken',
  'sessiontoken',
  'setcookie',
  'signature',
  'signatureprovided',
  'signingkey',
  'stringtosign',
  'token',
  'wrappedkey',
  'xamzsecuritytoken',
  'xamzsignature',
])
const CUSTOMER_KEY = /serversideencryptioncustomerkey/
/** Signatures and tokens inside of texts: URLs, Authorization values in messages. */
const SECRET_PARTS = /\b((?:X-Amz-)?Signature|X-Amz-Security-Token|AWSSecretAccessKey)(=|%3D)[^&\s,;"']+/gi

/** How they begin, as it stands in JSON too. */
const SECRET_BEGINS = /(?:Signature|X-Amz-Security-Token|AWSSecretAccessKey)(?:=|%3D)/i

/** Whether a text, or a JSON text, may have a secret inside; nearly none has, and this is soon told. */
export const mayHoldSecret = (text: string): boolean =>
  (text.includes('=') || text.includes('%3')) && SECRET_BEGINS.test(text)

/**
 * The last line of defence of the log: what goes through here has lost secrets by name, bytes, and everything of an
 * error but its type, code, message and stack. Nothing that holds a secret should come here in the first place.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return mayHoldSecret(value) ? value.replace(SECRET_PARTS, `$1$2${CENSORED}`) : value
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return redactError(value, depth)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (depth >= DEEPEST) return '[deep]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Map) return redactEntries(value.entries(), depth)
  if (hasJSON(value)) return redact(value.toJSON(), depth + 1)
  return redactEntries(Object.entries(value), depth)
}

/** Values by name: an object that is new, whatever it was before. */
export function redactEntries(entries: Iterable<[unknown, unknown]>, depth = 0): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const [name, value] of entries)
    clean[String(name)] = isSecret(String(name)) ? CENSORED : redact(value, depth + 1)
  return clean
}

const hasJSON = (value: object): value is { toJSON(): unknown } =>
  'toJSON' in value && typeof value.toJSON === 'function'

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '')
  return SECRET_NAMES.has(plain) || CUSTOMER_KEY.test(plain)
}

/** Errors carry what their maker hung on them: S3Error the string to sign, system errors paths, SDK errors whole requests. */
function redactError(error: Error, depth: number): unknown {
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: redact(error.message),
    stack: redact(error.stack ?? ''),
    ...(error.cause === undefined || depth >= DEEPEST ? {} : { cause: redact(error.cause, depth + 1) }),
  }
}
