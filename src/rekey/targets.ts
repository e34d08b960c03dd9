import type { KeyReference } from '../keyring/port.js'
import { referencesUnder } from '../keyring/select.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import type { Bucket } from '../s3/names.js'

/**
 * `keyring version` of every active version under the prefix, sorted; of a keyring of single objects its name.
 *
 * @throws MaintenanceError where there is nothing to do for the command
 */
export function activeUnder(access: Pick<UpstreamAccess, 'rules'>, bucket: Bucket, prefix: string): readonly string[] {
  const targets = encryptedReferences(access, bucket, prefix).map(({ keyring }) => {
    const [active] = keyring.keyVersions()
    return active === undefined ? keyring.name : `${keyring.name} ${active}`
  })
  return [...new Set(targets)].sort()
}

/** The encrypted rules under the prefix. @throws MaintenanceError where there is nothing to do for the command */
function encryptedReferences(
  access: Pick<UpstreamAccess, 'rules'>,
  bucket: Bucket,
  prefix: string,
): readonly Extract<KeyReference, { type: 'encrypted' }>[] {
  const references = referencesUnder(access.rules, bucket, prefix)
  const encrypted = references.filter((reference) => reference.type === 'encrypted')
  if (encrypted.length > 0) return encrypted
  throw new MaintenanceError(
    references.length === 0
      ? `s3://${bucket}/${prefix}: no rule covers it; add one under rules`
      : `s3://${bucket}/${prefix}: its rule says \`keyring: none\`; name a keyring there first`,
  )
}
