import type { KmsConfig } from '../config/types.js'
import type { Kms, KmsFailure, KmsOperation } from './kms-port.js'

/** What keyrings in KMS tell of themselves, for metrics and the log. No key is in it. */
export type KeyringEvent =
  | {
      readonly type: 'call'
      readonly keyring: string
      readonly operation: KmsOperation
      readonly outcome: 'ok' | KmsFailure['type']
      readonly ms: number
    }
  /** `hit`: from memory. `miss`: KMS was asked. `stale`: from memory past its time, because KMS is away. */
  | { readonly type: 'look-up'; readonly keyring: string; readonly result: 'hit' | 'miss' | 'stale' }
  /** A key version's wrapped key was opened at this time of the monotonic clock, in milliseconds. */
  | { readonly type: 'unwrapped'; readonly keyring: string; readonly keyVersion: string; readonly at: number }
  /** KMS gave nothing, after all attempts. */
  | { readonly type: 'failing'; readonly keyring: string; readonly keyVersion: string; readonly failure: KmsFailure }

/** What keyrings in KMS need of the world outside. */
export interface KmsWorld {
  readonly connect: (config: KmsConfig) => Kms
  /** milliseconds */
  readonly monotonic: () => number
  /** From 0 to 1, 1 excluded; spreads retries. */
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly observe: (event: KeyringEvent) => void
}

/** The same operations, each call told to the observer. */
export function observed(kms: Kms, keyring: string, { monotonic, observe }: KmsWorld): Kms {
  const told =
    <A extends readonly unknown[], R extends Awaited<ReturnType<Kms['decrypt']>>>(
      operation: KmsOperation,
      call: (...args: A) => Promise<R>,
    ) =>
    async (...args: A): Promise<R> => {
      const started = monotonic()
      const answer = await call(...args)
      const outcome = answer.type === 'bytes' ? 'ok' : answer.type
      observe({ type: 'call', keyring, operation, outcome, ms: monotonic() - started })
      return answer
    }
  return {
    encrypt: told('Encrypt', kms.encrypt),
    decrypt: told('Decrypt', kms.decrypt),
    generateMac: told('GenerateMac', kms.generateMac),
  }
}
