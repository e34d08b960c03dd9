/**
 * What became of one check. `note`: nothing is wrong, and it is worth to be known. `warning`: it works, and something should be
 * done. `skipped`: it could not be looked at, and the detail says why.
 */
export type Status = 'ok' | 'note' | 'warning' | 'failed' | 'skipped'

export interface Finding {
  /** The name of the check, one of a fixed list: docs/doctor.md explains each. */
  readonly check: Check
  /** What was looked at: a file, a host, a bucket. */
  readonly subject: string
  readonly status: Status
  readonly detail: string
  /** What to do, where something is to be done. A command stands as it can be pasted. */
  readonly remedy: string | 'none'
}

export type Check =
  | 'configuration'
  | 'file'
  | 'certificate'
  | 'keyring'
  | 'plain http'
  | 'name'
  | 'tls'
  | 'clock'
  | 'credentials'
  | 'bucket'
  | 'region'
  | 'encryption'
  | 'policy'
  | 'round trip'
  | 'md5'

/** Makes findings about one thing. */
export const about =
  (check: Check, subject: string) =>
  (status: Status, detail: string, remedy: string | 'none' = 'none'): Finding => ({
    check,
    subject,
    status,
    detail,
    remedy,
  })

export const hasFailed = (findings: readonly Finding[]): boolean => findings.some(({ status }) => status === 'failed')
