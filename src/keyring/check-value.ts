import { createHmac, type KeyObject } from 'node:crypto'

const LABEL = 'ssec-proxy/check/v1'

/** What a check value is the MAC of. */
export const CHECK_LABEL: Buffer = Buffer.from(LABEL, 'utf8')

/**
 * Tells keys apart without showing them: the first 8 bytes, in hex, of HMAC-SHA256(key, "ssec-proxy/check/v1"). A key
 * version whose check value does not fit its key stops the start, because a wrong key must not encrypt.
 */
export function checkValue(key: KeyObject): string {
  return checkOfMac(createHmac('sha256', key).update(LABEL, 'utf8').digest())
}

/** The same, where somebody else has computed the HMAC. */
export function checkOfMac(mac: Buffer): string {
  return mac.subarray(0, 8).toString('hex')
}
