import type { Attempt, KeyedRequest } from './messages.js'
import type { Operation } from '../s3/operations.js'
import type { RequestRecord } from './record.js'
import { fromKeyring } from './attempts.js'

/** Notes the only key that a write can go out with: an upload that breaks off went out under it too. */
export function noteWrite({ targetKey }: KeyedRequest, record: RequestRecord): void {
  if (targetKey.type !== 'one') return
  record.keyring = targetKey.dataKey.keyring
  record.keyVersion = targetKey.dataKey.keyVersion
  record.keySource = 'keyring'
}

/** Notes the keys of the attempt that was answered. */
export function noteKeys(operation: Operation, { target, source }: Attempt, record: RequestRecord): void {
  if (fromKeyring(target)) {
    record.keyring = target.keyring
    record.keyVersion = target.keyVersion
    record.keySource = 'keyring'
  } else if (target === 'plain') {
    record.keyVersion = 'plain'
    record.keySource = operation.customerKey === 'none' ? 'none' : 'plain'
  } else {
    record.keyVersion = 'none'
    record.keySource = 'client'
  }
  if (!fromKeyring(source)) return
  record.sourceKeyring = source.keyring
  record.sourceKeyVersion = source.keyVersion
}
