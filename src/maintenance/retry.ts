import { UpstreamFailure } from '../upstream/types.js'
import { MaintenanceError } from './error.js'

/** Pauses and chance, so that tests need neither. */
export interface RetryWorld {
  readonly sleep: (ms: number) => Promise<void>
  /** 0 to 1 */
  readonly random: () => number
  /** How often a request is sent at most. */
  readonly attempts: number
}

/** Of commands that run for long: with the pauses, about half a minute. */
export const PATIENT_ATTEMPTS = 8
/** Where somebody waits for the answer. */
export const HASTY_ATTEMPTS = 3
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 20_000

const STATUSES: readonly number[] = [429, 500, 502, 503, 504]
/** Errors inside a 200 (CopyObject, CompleteMultipartUpload) that S3 wants to be asked again for. */
const CODES: readonly string[] = ['InternalError', 'SlowDown', 'ServiceUnavailable', 'RequestTimeout']

/**
 * Runs a request again while the upstream is away, throttles or fails, with growing, jittered pauses. Its last answer is given as it is.
 *
 * @throws MaintenanceError where the last attempt had no answer, or the failure is none that passes (TLS, say)
 */
export async function retried<T extends { readonly status: number; readonly code: string }>(
  run: () => Promise<T>,
  { sleep, random, attempts }: RetryWorld,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt === attempts
    try {
      const answer = await run()
      if (last || !(STATUSES.includes(answer.status) || CODES.includes(answer.code))) return answer
    } catch (error) {
      if (last || !passes(error)) throw inWords(error)
    }
    await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2))
  }
}

/** Whether the connection was lost, before or in the answer. */
function passes(error: unknown): boolean {
  if (error instanceof UpstreamFailure) return ['connect', 'reset', 'timeout', 'aborted'].includes(error.reason)
  return !(error instanceof MaintenanceError) && error instanceof Error && 'code' in error
}

/** An error of programming stays what it is. */
function inWords(error: unknown): unknown {
  if (error instanceof Error && !(error instanceof UpstreamFailure) && passes(error))
    return new MaintenanceError('the connection to the upstream broke in the middle of an answer', { cause: error })
  if (!(error instanceof UpstreamFailure)) return error
  const cause = error.cause instanceof Error ? error.cause.message : String(error.cause)
  return new MaintenanceError(`no answer from the upstream (${error.reason}): ${cause}`, { cause: error })
}
