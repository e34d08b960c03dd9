import type { CustomerKey } from '../s3/customer-key.js'
import type { Problem } from '../config/problem.js'
import type { KmsFailure } from './kms-port.js'
import type { ObjectScope, Soon } from './port.js'

/** The data keys of a keyring whose keys come from KMS, when they are asked for. */
export interface KmsKeys {
  readonly dataKey: (keyVersion: string, scope: ObjectScope) => Soon<CustomerKey>
  /**
   * Asks KMS for every key version and holds it to its check value; a problem for each that does not open. KMS that is
   * away is asked again for this long.
   */
  readonly verify: (patienceMs: number) => Promise<readonly Problem[]>
}

/** What the operator reads when a key version does not open. `place` is that of the member in the file. */
export function verificationProblem(place: string, { type, reason }: KmsFailure, kmsKeyId: string): Problem {
  switch (type) {
    case 'denied':
      return {
        path: place,
        message: `is denied by KMS with key ${kmsKeyId}: ${reason} (is it of this keyring and this id, and may these credentials use the key?)`,
      }
    case 'throttled':
    case 'away':
      return {
        path: place,
        message: `could not be asked of KMS with key ${kmsKeyId}: ${reason} (check kms.endpoint, kms.ca and the network, or raise kms.startTimeout)`,
      }
  }
}
