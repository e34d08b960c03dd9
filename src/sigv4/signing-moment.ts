import type { KeyObject } from 'node:crypto'
import { ALGORITHM } from './authorization.js'
import { keptSigningKey, scopeText } from './signing-key.js'
import { stringToSignStart } from './string-to-sign.js'
import type { AwsCredentials, SecretAccessKey } from './types.js'
import { unsignable } from './unsignable.js'

/** What the signatures of one second, region and identity have in common. */
export interface SigningMoment {
  readonly signingKey: KeyObject
  /** How the Authorization header begins. */
  readonly credential: string
  /** The string to sign without its last line, the hash of the canonical request. */
  readonly head: string
}

interface Kept extends SigningMoment {
  readonly accessKeyId: string
  readonly region: string
  readonly timestamp: string
}

/** The last one of each identity: a second has many requests. The memory goes with the secret. */
const last = new WeakMap<SecretAccessKey, Kept>()

const VISIBLE = /^[\x20-\x7e]*$/

/** @param timestamp yyyymmddThhmmssZ */
export function signingMoment(
  { accessKeyId, secretAccessKey }: AwsCredentials,
  region: string,
  timestamp: string,
): SigningMoment {
  const kept = last.get(secretAccessKey)
  if (
    kept !== undefined &&
    kept.timestamp === timestamp &&
    kept.region === region &&
    kept.accessKeyId === accessKeyId
  ) {
    return kept
  }
  const scope = { accessKeyId, date: timestamp.slice(0, 8), region, service: 's3' }
  const where = scopeText(scope)
  const credential = `${ALGORITHM} Credential=${accessKeyId}/${where}`
  // It goes out in a line of the head. The rest of that line is made here and holds nothing else.
  if (!VISIBLE.test(credential)) throw unsignable('an access key id or a region of other than visible characters')
  const moment = {
    accessKeyId,
    region,
    timestamp,
    signingKey: keptSigningKey(secretAccessKey, scope),
    credential,
    head: stringToSignStart(timestamp, where),
  }
  last.set(secretAccessKey, moment)
  return moment
}
