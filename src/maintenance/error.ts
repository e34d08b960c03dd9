/** Why a command cannot go on: one line for the operator, without anything that a request held. */
export class MaintenanceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MaintenanceError'
  }
}

/** What S3 refuses because of the proxy's own credentials, clock, signature or bucket, and what to do about it. */
const REMEDIES: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: 'check secretAccessKey under upstream.credentials',
  InvalidAccessKeyId: 'check accessKeyId under upstream.credentials',
  InvalidToken: 'check the session token of upstream.credentials',
  ExpiredToken: 'the credentials have expired; check their source under upstream.credentials',
  RequestTimeTooSkewed: "set this machine's clock",
  AuthorizationHeaderMalformed: 'check upstream.region',
  PermanentRedirect: 'check upstream.endpoint and upstream.region',
  NoSuchBucket: 'check the name of the bucket',
  AccessDenied: 'the credentials under upstream.credentials may not do this',
}

/** What to do about an error of S3's; `none` where nobody can say. */
export const remedyFor = (code: string): string | 'none' => REMEDIES[code] ?? 'none'

/**
 * An answer that is the end of a command. Nothing but its status and code is told: error documents may quote what was
 * signed, and with it a key.
 */
export function refusedBy(
  what: string,
  { status, code }: { readonly status: number; readonly code: string },
): MaintenanceError {
  const remedy = REMEDIES[code]
  const said = code === 'none' ? `status ${status}` : `${code} (status ${status})`
  return new MaintenanceError(`${what}: the upstream answered ${said}${remedy === undefined ? '' : `; ${remedy}`}`)
}
