import type { KmsFailure } from './kms-port.js'
import type { KmsWorld } from './kms-world.js'

export interface Patience {
  readonly attempts: number
  /** No attempt begins later than this, in milliseconds from the first. */
  readonly forMs: number
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000

/** Calls again while KMS is away or throttles, later and later, at times that no two processes share. */
export async function persist<V extends { readonly type: 'value' }>(
  call: () => Promise<V | KmsFailure>,
  patience: Patience,
  { monotonic, random, sleep }: Pick<KmsWorld, 'monotonic' | 'random' | 'sleep'>,
): Promise<V | KmsFailure> {
  const started = monotonic()
  for (let attempt = 1; ; attempt++) {
    const result = await call()
    if (result.type === 'value' || result.type === 'denied' || attempt >= patience.attempts) return result
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * (0.5 + random() / 2)
    if (monotonic() - started + wait > patience.forMs) return result
    await sleep(wait)
  }
}
