import type { UpstreamAccess } from '../maintenance/access.js'
import { limiter } from '../maintenance/bounded.js'
import { MaintenanceError } from '../maintenance/error.js'
import type { Hint, Look } from '../maintenance/look.js'
import { isBucketOwnerEnforced, type AclPolicy } from './access-control.js'
import type { Journal } from './journal.js'
import type { MoveSettings } from './move-object.js'
import type { RekeyOptions, RekeyWorld } from './options.js'
import type { RekeyCommand } from './outcome.js'
import { probeStore, type Probe, type StoreTraits } from './probe.js'

/**
 * Tries the store, and makes up what every object needs.
 *
 * @throws MaintenanceError where the run cannot begin
 */
export async function prepare(
  access: UpstreamAccess,
  options: RekeyOptions,
  journal: Journal,
  world: RekeyWorld,
): Promise<MoveSettings> {
  const { bucket, command, dryRun } = options
  const { isStopping, now } = world
  const ignoresAcl = options.acl === 'default' || dryRun || (await isBucketOwnerEnforced(access, bucket))
  const traits = dryRun ? 'not probed' : await probe(access, options, world, 'single', ignoresAcl ? 'ignore' : 'look')
  if (traits !== 'not probed') demandGuard(traits, options, world, 'single')
  const usual = traits === 'not probed' ? 'none' : traits.usualGrants
  const acl: AclPolicy = usual === 'none' ? { type: 'bucket-owner' } : { type: 'keep', usual }
  const multipartTraits = kept(() => probe(access, options, world, 'multipart', 'ignore'))
  let isAllowed = false
  return {
    command,
    bucket,
    targets: new Set(options.targets),
    dryRun,
    singleCopyMax: options.singleCopyMax,
    multipart: { partSize: options.partSize, notes: journal, limit: limiter(options.concurrency), isStopping, acl },
    tellsETag: traits !== 'not probed' && traits.tellsETag,
    loses: traits === 'not probed' ? [] : traits.loses,
    beforeMultipart: async () => {
      const found = await multipartTraits()
      if (!isAllowed) demandGuard(found, options, world, 'multipart')
      isAllowed = true
      return found
    },
    hint: lastFitting(command),
    lossyCopy: (objectKey) => journal.before.lossy.get(objectKey) ?? 'none',
    now,
  }
}

/** Asks once, and keeps what it was told; after a failure the next one who needs it asks again. */
function kept<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask().catch((error: unknown) => {
      asked = undefined
      throw error
    })
    return asked
  }
}

async function probe(
  access: UpstreamAccess,
  { bucket, prefix }: RekeyOptions,
  { randomBytes, warn }: RekeyWorld,
  way: Probe['way'],
  acl: Probe['acl'],
): Promise<StoreTraits> {
  const traits = await probeStore({ access, bucket, prefix, way, acl, randomBytes })
  for (const objectKey of traits.left) warn(`the probe object ${objectKey} could not be removed; delete it`)
  return traits
}

/** @throws MaintenanceError where the store overwrites what clients write, and the operator has not said that it may */
function demandGuard(
  { guarded }: StoreTraits,
  { unguarded }: RekeyOptions,
  world: RekeyWorld,
  way: Probe['way'],
): void {
  if (guarded) return
  const what = way === 'single' ? 'CopyObject' : 'CompleteMultipartUpload'
  if (!unguarded) {
    throw new MaintenanceError(
      `the upstream ignores If-Match on ${what}: what a client writes while an object is copied could be overwritten ` +
        `with what was there before. ${way === 'single' ? 'No object was touched. ' : ''}Stop all writes under this prefix and say --unguarded`,
    )
  }
  world.warn(`the upstream ignores If-Match on ${what}: nobody may write under this prefix until the end of this run`)
}

/** Objects of one bucket are mostly under the same key version: what fitted last is tried first. */
function lastFitting(command: RekeyCommand): Hint & { noted(look: Look): void } {
  let last: ReturnType<Hint['get']> = command === 'encrypt' ? 'plain' : 'unknown'
  return {
    get: () => last,
    noted: (look) => {
      if (look.type === 'plain') last = 'plain'
      if (look.type === 'key') last = look.dataKey
    },
  }
}
