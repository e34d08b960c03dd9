import type { Config } from '../config/types.js'
import { checkOf } from '../keyring/keyring-file.js'
import type { KeyReference } from '../keyring/port.js'
import { selectKeys } from '../keyring/select.js'
import { activeAt, pendingAt, settledAt } from '../keyring/succession.js'
import { type UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import { listUploads } from '../maintenance/list.js'
import { everyVersion, listBuckets, survey } from '../maintenance/survey.js'
import { S3Error } from '../s3/error.js'
import { parseBucket, type Bucket } from '../s3/names.js'
import { printable } from '../s3/printable.js'
import { changeVersions, refused, withVersions, type AnyVersions, type Change } from './change-keyring.js'
import type { CliIo } from './io.js'
import { isSameFile, readKeyringFile } from './keys-list.js'
import { openMaintenance, type CommandProgress, type Maintenance } from './open-maintenance.js'

export interface KeysRetireArguments {
  readonly file: string
  readonly id: string
  readonly config: string
  /** Retire although uploads are unfinished that may have been created with the version. */
  readonly ignoreUploads: boolean
  /** Buckets that the upstream does not list, being of other accounts. */
  readonly buckets: readonly string[]
  /** Says that, where a rule is for all buckets, the own ones and {@link buckets} are all. */
  readonly theseAreAll: boolean
}

/** HEADs at a time. */
const WIDTH = 16
/** Names that are told; beyond them only their number is. */
const MOST_TOLD = 20

/**
 * `keys retire`: takes a key version out of its file and leaves a tombstone, once no object, no old version of one and
 * no unfinished upload needs it in any bucket of the rules that use the keyring. What cannot be looked at counts as
 * needing it.
 *
 * @returns the exit code
 */
export async function keysRetire(args: KeysRetireArguments, io: CliIo, progress: CommandProgress): Promise<number> {
  const { file, id, config } = args
  const read = readKeyringFile(file)
  if (read.type === 'problems') return fail(io, read.problems)
  if (read.contents.type === 'objects') return fail(io, [`${file}: a keyring of single objects has no key versions`])
  const early = retired(file, read.contents, id, io.now())
  if (early.type === 'refused') return fail(io, early.reasons)
  try {
    const opened = await openMaintenance(config, io)
    if (opened === 'wrong') return 1
    try {
      const keyring = opened.keyrings.find((one) => isSameFile(one.config.file, file))
      if (keyring === undefined) return fail(io, [`${file} is the file of no keyring in ${config}`])
      const scope = await bucketsOf(opened.config, keyring.config.name, args, opened.access)
      io.stderr(`buckets that rules with this keyring are about: ${scope.buckets.join(', ') || 'none'}\n`)
      if (scope.type === 'open') return fail(io, [OTHER_BUCKETS])
      const needs = await whatNeeds(opened, keyring.config.name, scope.buckets, args, io, progress)
      if (needs.length > 0) return fail(io, needs)
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (error instanceof MaintenanceError || error instanceof S3Error) return fail(io, [error.message])
    throw error
  }
  return changeVersions(file, (before) => retired(file, before, id, io.now()), io)
}

function retired(file: string, before: AnyVersions, id: string, now: Date): Change {
  const all = [...before.versions]
  const version = all.find((one) => one.id === id)
  if (version === undefined) {
    return before.retired.some((one) => one.id === id)
      ? refused(`${file}: key version ${id} is retired already`)
      : refused(`${file} has no key version ${id}; it has ${all.map((one) => one.id).join(', ')}`)
  }
  if (activeAt(all, now).id === id) {
    return refused(`${file}: key version ${id} is the active one; rotate first, and move the objects with \`rekey\``)
  }
  // A replica that loads the file late would still make it active at its time, and write with a key that is nowhere.
  if (version.state === 'pending' && pendingAt(all, now)?.id === id) {
    return refused(
      `${file}: key version ${id} is pending, active from ${version.activateAt} on; \`keys activate\` with the active one, ` +
        `${activeAt(all, now).id}, calls that off, and once every replica has loaded that, ${id} can be retired`,
    )
  }
  const check = checkOf(version)
  const rest = withVersions(before, (versions) => settledAt(versions, now).filter((one) => one.id !== id))
  const contents = { ...rest, retired: [...rest.retired, { id, created: version.created, check }] }
  return {
    type: 'changed',
    contents,
    stdout: `retired key version ${id} of ${file}: keyring ${contents.name}, ${all.length - 1} key versions left\ncheck value: ${check}\n`,
    stderr: 'Keep the backup that has this key: whatever was copied out of the bucket earlier may still need it.\n',
  }
}

/** One line for everything that stands against it; none where nothing does. */
async function whatNeeds(
  { access }: Maintenance,
  keyring: string,
  buckets: readonly Bucket[],
  { id, ignoreUploads }: KeysRetireArguments,
  io: CliIo,
  progress: CommandProgress,
): Promise<readonly string[]> {
  const uses = (reference: KeyReference) =>
    reference.type === 'encrypted' && [reference.keyring, ...reference.alsoRead].some(({ name }) => name === keyring)
  const needing = told('objects need it')
  const unclear = told('objects may not be read with the credentials of the upstream, so they may need it')
  const uploads = told(
    'unfinished uploads may have been created with it (complete or abort them, or --ignore-uploads gives them up)',
  )
  let looked = 0
  const bar = progress(`looking who needs ${id}`)
  try {
    for (const bucket of buckets) {
      // Before the objects: an upload that ends meanwhile is an object by the time that those are looked at.
      if (!ignoreUploads) {
        for await (const { entries } of listUploads(access, bucket, '')) {
          for (const { objectKey, initiated } of entries) {
            const reference = selectKeys(access.rules, bucket, objectKey)
            if (reference === 'no-rule' || !uses(reference)) continue
            uploads.add(`s3://${bucket}/ ${JSON.stringify(objectKey)} begun ${initiated}`)
          }
        }
      }
      await survey(access, bucket, everyVersion(access, bucket, ''), { width: WIDTH, wanted: uses }, (one) => {
        looked += 1
        bar.done(looked)
        const version = one.object.version.type === 'id' ? ` ${one.object.version.versionId}` : ''
        const name = `s3://${bucket}/ ${JSON.stringify(one.object.objectKey)}${version}`
        const { look } = one
        if (look.type === 'key' && look.dataKey.keyring === keyring && look.dataKey.keyVersion === id) needing.add(name)
        if (look.type === 'denied') unclear.add(name)
      })
    }
  } finally {
    bar.stop()
  }
  io.stderr(`looked at ${looked} objects and old versions\n`)
  return [...needing.lines(), ...unclear.lines(), ...uploads.lines()]
}

/** `open` where a rule is for all buckets and nobody said that these are all: others cannot be listed. */
interface Scope {
  readonly type: 'closed' | 'open'
  readonly buckets: readonly Bucket[]
}

const OTHER_BUCKETS =
  'a rule is for `*`, and buckets of other accounts, which objects may be in too, are not listed: --bucket NAME adds one, and --these-are-all says that there are no more'

/** Every bucket that a rule with this keyring can be about. */
async function bucketsOf(
  config: Config,
  keyring: string,
  { buckets, theseAreAll }: KeysRetireArguments,
  access: UpstreamAccess,
): Promise<Scope> {
  const names = config.rules.flatMap(({ bucket, keys }) =>
    keys.type === 'encrypted' && [keys.keyring, ...keys.alsoRead].includes(keyring) ? [bucket] : [],
  )
  const forAll = names.includes('*')
  const own = forAll ? await listBuckets(access) : []
  const named = [...names.filter((name) => name !== '*'), ...buckets].map(parseBucket)
  return { type: forAll && !theseAreAll ? 'open' : 'closed', buckets: [...new Set([...named, ...own])] }
}

/** The first names and the number of all. */
function told(what: string): { readonly add: (name: string) => void; readonly lines: () => readonly string[] } {
  const names: string[] = []
  let count = 0
  return {
    add: (name) => {
      count += 1
      if (names.length < MOST_TOLD) names.push(`  ${name}`)
    },
    lines: () => {
      if (count === 0) return []
      return [`${count} ${what}:`, ...names, ...(count > names.length ? [`  and ${count - names.length} more`] : [])]
    },
  }
}

function fail(io: CliIo, reasons: readonly string[]): number {
  for (const reason of [...reasons, 'nothing was changed']) io.stderr(`${printable(reason)}\n`)
  return 1
}
