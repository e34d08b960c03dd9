import type { RuleConfig } from '../config/types.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import { probeMD5 } from '../maintenance/md5-probe.js'
import type { RandomBytes } from '../maintenance/throw-away.js'
import type { Bucket } from '../s3/names.js'
import { about, type Finding } from './finding.js'

/** What `serve` asks before it starts, where a rule of the bucket says `etag: md5`. */
export async function checkMD5(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  rules: readonly RuleConfig[],
  randomBytes: RandomBytes,
): Promise<readonly Finding[]> {
  if (!rules.some((rule) => rule.bucket === bucket && rule.etag === 'md5')) return []
  const finding = about('md5', bucket)
  try {
    const left = await probeMD5({ access, bucket, randomBytes })
    const kept = finding('ok', 'kept and told again, for whole objects, copies and uploads in parts: `etag: md5` holds')
    const names = left.map((objectKey) => JSON.stringify(objectKey)).join(', ')
    return left.length === 0
      ? [kept]
      : [kept, finding('warning', `the probe object could not be deleted: ${names}`, 'delete it')]
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    return [finding('failed', error.message, 'mend that, or set `etag: opaque`; `serve` does not start like this')]
  }
}
