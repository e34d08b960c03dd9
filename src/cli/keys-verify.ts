import type { KeyringContents } from '../keyring/keyring-file.js'
import type { Bucket } from '../s3/names.js'
import { parseBucket } from '../s3/names.js'
import { S3Error } from '../s3/error.js'
import { printable } from '../s3/printable.js'
import type { UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import { everyVersion, sampleOf, survey, type Surveyed } from '../maintenance/survey.js'
import type { CliIo } from './io.js'
import { describe, isSameFile, readKeyringFile, toldKeyring } from './keys-list.js'
import { openMaintenance, type CommandProgress } from './open-maintenance.js'
import type { ProgressBar } from './progress.js'

export interface KeysVerifyArguments {
  readonly file: string | undefined
  readonly config: string | undefined
  readonly bucket: string | undefined
  readonly prefix: string
  /** How many objects to look at, `all` for every one and every old version. */
  readonly sample: number | 'all'
  readonly json: boolean
}

/** HEADs at a time. */
const WIDTH = 16
/** Names that are told; beyond them only their number is. */
const MOST_TOLD = 1000

/**
 * `keys verify`: whether keyring files open and fit their check values, and with a bucket, which key version opens each
 * object there.
 *
 * @returns the exit code: 1 where anything is wrong, or an object opens with none of its keys
 */
export async function keysVerify(args: KeysVerifyArguments, io: CliIo, progress: CommandProgress): Promise<number> {
  const { file, config, bucket } = args
  if (config === undefined) {
    if (bucket !== undefined) return fail(io, '--bucket needs --config: its rules say which keys belong to the bucket')
    if (file === undefined) return fail(io, 'name a keyring file, or a configuration with --config')
    return verifyFile(file, args, io)
  }
  try {
    const opened = await openMaintenance(config, io)
    if (opened === 'wrong') return 1
    try {
      const keyrings = opened.keyrings.filter((one) => file === undefined || isSameFile(one.config.file, file))
      if (keyrings.length === 0 && file !== undefined) return fail(io, `${file} is the file of no keyring in ${config}`)
      const told = keyrings.map((one) => toldKeyring(one.config.file, one.contents, io.now()))
      if (!args.json) for (const one of keyrings) io.stdout(wholeText(one.config.file, one.contents, io.now()))
      const found =
        bucket === undefined ? undefined : await lookAtBucket(opened.access, parseBucket(bucket), args, io, progress)
      if (args.json) io.stdout(`${JSON.stringify({ keyrings: told, ...found }, null, 2)}\n`)
      else if (found !== undefined) io.stdout(printable(foundText(found)))
      return found !== undefined && found.locked + found.denied > 0 ? 1 : 0
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (error instanceof MaintenanceError || error instanceof S3Error) return fail(io, error.message)
    throw error
  }
}

/** A file alone: what KMS keeps cannot be opened without a configuration, and is not said to be good. */
function verifyFile(file: string, { json }: KeysVerifyArguments, io: CliIo): number {
  const read = readKeyringFile(file)
  if (read.type === 'problems') return fail(io, ...read.problems)
  const { contents } = read
  if (json) io.stdout(`${JSON.stringify({ keyrings: [toldKeyring(file, contents, io.now())] }, null, 2)}\n`)
  else io.stdout(wholeText(file, contents, io.now()))
  const sealed = contents.type === 'objects' ? 0 : contents.versions.filter(({ type }) => type !== 'plain').length
  return sealed === 0
    ? 0
    : fail(io, `${file}: ${sealed} key versions need KMS to be verified; --config FILE says where it is`)
}

const wholeText = (file: string, contents: KeyringContents, now: Date): string =>
  `${file}: every key fits its check value\n${describe(contents, now)}`

interface Found {
  readonly bucket: string
  readonly prefix: string
  readonly looked: number
  readonly keyVersions: readonly { readonly keyring: string; readonly keyVersion: string; readonly objects: number }[]
  /** Not encrypted with a customer key. */
  readonly plain: number
  /** Under a rule that wants no key. */
  readonly plainByRule: number
  readonly withoutRule: number
  readonly gone: number
  /** Objects that none of their keys opens. */
  readonly locked: number
  /** Objects that the credentials of the upstream may not read. */
  readonly denied: number
  readonly wrong: readonly {
    readonly objectKey: string
    readonly versionId: string
    readonly what: 'locked' | 'denied'
  }[]
}

async function lookAtBucket(
  access: UpstreamAccess,
  bucket: Bucket,
  { prefix, sample }: KeysVerifyArguments,
  io: CliIo,
  progress: CommandProgress,
): Promise<Found> {
  const listed = everyVersion(access, bucket, prefix)
  const objects =
    sample === 'all' ? listed : await sampleFrom(listed, sample, io, progress(`list s3://${bucket}/${prefix}`))
  const keyVersions = new Map<string, { keyring: string; keyVersion: string; objects: number }>()
  const counts = { looked: 0, plain: 0, plainByRule: 0, withoutRule: 0, gone: 0, locked: 0, denied: 0 }
  const wrong: Found['wrong'][number][] = []
  const bar = progress(`verify s3://${bucket}/${prefix}`)
  if (Array.isArray(objects)) bar.total(objects.length)
  const tell = ({ object, look }: Surveyed) => {
    counts.looked += 1
    bar.done(counts.looked)
    switch (look.type) {
      case 'key': {
        const { keyring, keyVersion } = look.dataKey
        const name = `${keyring} ${keyVersion}`
        const one = keyVersions.get(name) ?? { keyring, keyVersion, objects: 0 }
        keyVersions.set(name, { ...one, objects: one.objects + 1 })
        return
      }
      case 'plain':
        counts.plain += 1
        return
      case 'plain-rule':
        counts.plainByRule += 1
        return
      case 'no-rule':
        counts.withoutRule += 1
        return
      case 'gone':
        counts.gone += 1
        return
      case 'locked':
      case 'denied': {
        counts[look.type] += 1
        const versionId = object.version.type === 'id' ? object.version.versionId : 'null'
        if (wrong.length < MOST_TOLD) wrong.push({ objectKey: object.objectKey, versionId, what: look.type })
      }
    }
  }
  try {
    await survey(access, bucket, objects, { width: WIDTH, wanted: () => true }, tell)
  } finally {
    bar.stop()
  }
  return {
    bucket,
    prefix,
    ...counts,
    keyVersions: [...keyVersions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one),
    wrong,
  }
}

/** Names are all listed before the first object is looked at, which takes its time as well. */
async function sampleFrom<T>(
  listed: AsyncIterable<T>,
  size: number,
  io: CliIo,
  bar: ProgressBar,
): Promise<readonly T[]> {
  async function* counted(): AsyncGenerator<T> {
    let count = 0
    for await (const one of listed) {
      bar.done(++count)
      yield one
    }
  }
  try {
    return await sampleOf(counted(), size, (below) => randomBelow(below, io))
  } finally {
    bar.stop()
  }
}

/** Good enough for a sample: 48 bits, so the bias is below one in a million for anything that can be listed. */
const randomBelow = (below: number, io: CliIo): number => io.randomBytes(6).readUIntBE(0, 6) % below

function foundText(found: Found): string {
  const line = (count: number, what: string) => (count === 0 ? '' : `  ${count} ${what}\n`)
  return [
    `s3://${found.bucket}/${found.prefix}: looked at ${found.looked} objects and old versions\n`,
    ...found.keyVersions.map(({ keyring, keyVersion, objects }) =>
      line(objects, `open with key version ${keyVersion} of keyring ${keyring}`),
    ),
    line(found.plain, 'have no customer key'),
    line(found.plainByRule, 'are in the clear, as their rule says'),
    line(found.withoutRule, 'have no rule'),
    line(found.gone, 'went away meanwhile'),
    line(found.locked, 'OPEN WITH NONE of the keys of their rule'),
    line(found.denied, 'may not be read with the credentials of the upstream'),
    ...found.wrong.map(({ objectKey, versionId, what }) => `    ${what} ${JSON.stringify(objectKey)} ${versionId}\n`),
    found.wrong.length < found.locked + found.denied ? '    and more\n' : '',
  ].join('')
}

function fail(io: CliIo, ...reasons: readonly string[]): number {
  for (const reason of reasons) io.stderr(`${printable(reason)}\n`)
  return 1
}
