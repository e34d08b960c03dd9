import { readFileSync } from 'node:fs'
import type { Config } from './config/types.js'
import { examineBuckets } from './doctor/examine.js'
import type { Finding } from './doctor/finding.js'
import { examineWorld } from './doctor/examine-world.js'
import type { OpenedKeyring } from './keyring/create.js'
import { openUpstreamAccess } from './maintenance/access.js'
import { MaintenanceError } from './maintenance/error.js'
import { StartError } from './server/start-error.js'
import type { Logger } from './telemetry/logger.js'

export interface PreflightWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
}

/**
 * Looks at the buckets that rules name, as the configuration wants it: not at all, beside the first requests, or before the first
 * of them.
 *
 * @throws StartError where it is required and a check failed
 */
export async function preflight(
  config: Config,
  keyrings: readonly OpenedKeyring[],
  world: PreflightWorld,
  log: Logger,
): Promise<void> {
  switch (config.upstream.preflight) {
    case 'off':
      return
    case 'warn':
      void look(config, keyrings, world, log).catch((error: unknown) => {
        log.error({ reason: error instanceof Error ? error.message : 'unknown' }, 'preflight could not be done')
      })
      return
    case 'require': {
      const [failed] = await look(config, keyrings, world, log).catch((error: unknown) => {
        if (error instanceof MaintenanceError) throw new StartError(`preflight: ${error.message}`, error)
        throw error
      })
      if (failed === undefined) return
      const { check, subject, detail, remedy } = failed
      throw new StartError(`preflight: ${check} ${subject}: ${detail}${remedy === 'none' ? '' : `; ${remedy}`}`)
    }
  }
}

/** @returns what failed */
async function look(
  { upstream, rules }: Config,
  opened: readonly OpenedKeyring[],
  world: PreflightWorld,
  log: Logger,
): Promise<readonly Finding[]> {
  const keyrings = opened.map(({ keyring }) => keyring)
  const access = openUpstreamAccess({ rules, upstream }, keyrings, {
    ...world,
    readFile: (file) => readFileSync(file, 'utf8'),
    isHasty: true,
    warn: (message) => log.warn({}, message),
  })
  const failed: Finding[] = []
  try {
    for await (const finding of examineBuckets(
      { upstream, rules, access, buckets: [] },
      examineWorld(upstream, world),
    )) {
      const { status, check, subject, detail, remedy } = finding
      if (status === 'failed') {
        failed.push(finding)
        log.error({ check, subject, detail, remedy }, 'preflight: a check failed')
      } else if (status === 'warning') log.warn({ check, subject, detail, remedy }, 'preflight')
    }
  } finally {
    await access.close()
  }
  log.info({ failed: failed.length }, 'preflight is done')
  return failed
}
