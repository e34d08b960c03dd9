import { StartError } from './server/start-error.js'
import type { Config } from './config/types.js'
import type { Logger } from './telemetry/logger.js'
import { MaintenanceError } from './maintenance/error.js'
import { openSender } from './maintenance/access.js'
import { probeMD5 } from './maintenance/md5-probe.js'
import { readFileSync } from 'node:fs'

interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
}

/** Buckets in which MD5s were seen to hold. The upstream does not change while a process runs. */
export type SeenMD5 = Set<string>

/**
 * Holds the start until the upstream was seen to keep MD5s, in every bucket whose rule says `etag: md5`. Where it does not, or
 * does not answer, there is no start: clients that insist on MD5s would take their objects for damaged, and may delete them.
 *
 * @throws StartError with all buckets in which it does not hold, and the remedy
 */
export async function demandMD5(
  config: Pick<Config, 'rules' | 'upstream'>,
  world: World,
  log: Logger,
): Promise<SeenMD5> {
  const seen: SeenMD5 = new Set()
  const refused = await refusalsOfMD5(config, seen, world, log)
  if (refused.length > 0) throw new StartError(refused.join('; '))
  return seen
}

/**
 * The same for a configuration that comes later: asks in the buckets that are new to it.
 *
 * @param seen what holds already; what is found out is put there
 * @returns a line for each bucket in which it does not hold
 * @throws StartError
 */
export async function refusalsOfMD5(
  { rules, upstream }: Pick<Config, 'rules' | 'upstream'>,
  seen: SeenMD5,
  world: World,
  log: Logger,
): Promise<readonly string[]> {
  const places = rules.flatMap(({ bucket, etag }, i) =>
    etag === 'md5' && !seen.has(bucket) ? [{ bucket, path: `rules[${i}].etag` }] : [],
  )
  if (places.length === 0) return []
  const warn = (message: string) => log.warn({}, message)
  const access = opened(() =>
    openSender(upstream, { ...world, warn, isHasty: true, readFile: (file) => readFileSync(file, 'utf8') }),
  )
  try {
    const asking = places.map(async (place) => {
      const refused = await refusal(place, { access, ...world }, log)
      if (refused.length === 0) seen.add(place.bucket)
      return refused
    })
    return (await Promise.all(asking)).flat()
  } finally {
    await access.close()
  }
}

async function refusal(
  { bucket, path }: { readonly bucket: string; readonly path: string },
  parts: Pick<Parameters<typeof probeMD5>[0], 'access' | 'randomBytes'>,
  log: Logger,
): Promise<readonly string[]> {
  try {
    const left = await probeMD5({ ...parts, bucket })
    for (const objectKey of left)
      log.warn({ bucket, objectKey }, 'a probe object could not be removed: remove it by hand')
    log.info({ bucket }, 'the upstream keeps MD5s: ETags are shown as such')
    return []
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    return [
      `${path}: \`md5\` could not be seen to hold in bucket ${bucket}: ${error.message}. Mend that, or set \`opaque\`, or ` +
        '`passthrough` where the ETags of this upstream stay MD5s under SSE-C (Ceph)',
    ]
  }
}

function opened<T>(open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof MaintenanceError) throw new StartError(error.message, error)
    throw error
  }
}
