import { ALGORITHM } from './authorization.js'
import { scopeText } from './signing-key.js'
import type { CredentialScope } from './types.js'

type Head = (timestamp: string, scope: Omit<CredentialScope, 'accessKeyId'>) => string

/**
 * A string to sign without its last line, the hash of the canonical request. The last one is kept: a second has many requests, and
 * for one text that comes again nothing is put together, flattened or written. What it was made of is kept as it came, at most one head
 * of a request with it: clients' clocks differ by seconds, and copies of these would cost each of their requests more than they save.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function stringToSignHead(): Head {
  let last = { timestamp: '', date: '', region: '', service: '', text: '' }
  return (timestamp, { date, region, service }) => {
    const same =
      timestamp === last.timestamp && date === last.date && region === last.region && service === last.service
    if (!same) {
      last = {
        timestamp,
        date,
        region,
        service,
        text: stringToSignStart(timestamp, scopeText({ date, region, service })),
      }
    }
    return last.text
  }
}

/** @param scope from {@link scopeText} */
export const stringToSignStart = (timestamp: string, scope: string): string => `${ALGORITHM}\n${timestamp}\n${scope}\n`
