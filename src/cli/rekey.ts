import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { OpenedKeyring } from '../keyring/create.js'
import { pendingAt } from '../keyring/succession.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import { openUpstreamAccess, type UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import type { Bucket } from '../s3/names.js'
import { S3Error } from '../s3/error.js'
import { printable } from '../s3/printable.js'
import { openJournal, unwrittenJournal, type Journal, type JournalSubject } from '../rekey/journal.js'
import type { RekeyCommand } from '../rekey/outcome.js'
import { findRemains, type Remains } from '../rekey/remains.js'
import type { RekeyOptions } from '../rekey/options.js'
import { runRekey } from '../rekey/run.js'
import { activeUnder } from '../rekey/targets.js'
import type { CliIo } from './io.js'
import type { CommandWorld, ExitCode } from './main.js'
import { parsePlace, type Place } from './place.js'
import { openProgress } from './progress.js'
import { jsonSummary, textSummary } from './rekey-summary.js'
import { processMarks } from './process-marks.js'
import { lockFile } from './run-lock.js'
import { openConfiguration } from './serve.js'

interface Given {
  readonly config: string
  readonly journal?: string
  readonly concurrency: number
  readonly dryRun?: true
  readonly json?: true
  readonly versions?: true
  readonly unguarded?: true
  readonly acl: 'keep' | 'default'
  readonly multipartAbove: number
  readonly partSize: number
  readonly maxFailures: number
}

const GIB = 1024 ** 3
const TIB = 1024 ** 4

const TEXTS: Readonly<Record<RekeyCommand, { readonly description: string; readonly after: string }>> = {
  rekey: {
    description: 'move objects to the active key version of their rule, by copies inside the store',
    after: `
Objects under an older key version of their rule's keyring, or under one of its alsoRead keyrings, are copied onto
themselves with CopyObject; no object byte comes here. Clients may read and write meanwhile. After a kill, the same
command goes on where it was. Older versions of objects in versioned buckets stay as they are (--versions counts them).
docs/rekey.md tells how to finish a rotation with it.`,
  },
  encrypt: {
    description: 'encrypt objects that have no customer key yet, by copies inside the store',
    after: `
Objects that open without a key are copied onto themselves under the active key version of their rule; no object byte
comes here. Set plaintext: allow in the rule for as long as clients are to read them. docs/rekey.md tells more.`,
  },
}

/** `rekey` and `encrypt`. */
export function registerRekeyCommands(program: Command, io: CliIo, world: CommandWorld, exit: ExitCode): void {
  for (const command of ['rekey', 'encrypt'] as const) {
    program
      .command(command)
      .description(TEXTS[command].description)
      .argument('<place>', 's3://BUCKET or s3://BUCKET/PREFIX, taken literally, without percent-encoding', parsePlace)
      .requiredOption('--config <file>', "the proxy's configuration")
      .option('--dry-run', 'tell what would be done; change nothing')
      .option('--json', 'print the summary as JSON')
      .option('--concurrency <n>', 'copies at a time', number(1, 1000), 16)
      .option(
        '--journal <file>',
        'what has been done; the same command goes on from it (default: named from the place)',
      )
      .option('--versions', 'afterwards, look which key versions the older versions of objects need')
      .addOption(
        new Option('--acl <how>', 'ACLs of single objects, in buckets that have them')
          .choices(['keep', 'default'] as const)
          .default('keep'),
      )
      .option('--max-failures <n>', 'stop after so many', number(1, 1_000_000_000), 100)
      .option(
        '--multipart-above <size>',
        'copy larger objects in parts: bytes, or with KiB, MiB, GiB, TiB; AWS takes no more than 5GiB',
        size(5 * TIB, '5TiB'),
        5 * GIB,
      )
      .option('--part-size <size>', 'of such a part, at least 5 MiB on AWS', size(5 * GIB, '5GiB'), GIB / 2)
      .option('--unguarded', 'go on where the store ignores If-Match: nobody may write meanwhile')
      .addHelpText('after', TEXTS[command].after)
      .action(async (place: Place, given: Given) => {
        exit.code = await rekey(command, place, given, io, world)
      })
  }
}

/** @returns 0 where all is done, 1 where something failed, 130 where it was interrupted */
async function rekey(
  command: RekeyCommand,
  { bucket, prefix }: Place,
  given: Given,
  io: CliIo,
  world: CommandWorld,
): Promise<number> {
  const opened = await openConfiguration(given.config, io, kmsOverSdk(io))
  if (opened === 'wrong') return 1
  const warn = (message: string): void => io.stderr(`ssec-proxy: warning: ${message}\n`)
  try {
    const access = openUpstreamAccess(
      opened.config,
      opened.keyrings.map(({ keyring }) => keyring),
      {
        ...io,
        readFile: (file) => readFileSync(file, 'utf8'),
        warn,
      },
    )
    try {
      const { hostname, port } = opened.config.upstream.endpoint
      const subject = subjectOf(access, command, bucket, prefix, `${hostname}:${port}`)
      for (const what of pendingIn(opened.keyrings, subject, io.now())) warn(what)
      return await withJournal(given, subject, io, (journal) => run(access, journal, subject, bucket, given, io, world))
    } finally {
      await access.close()
    }
  } catch (error) {
    if (error instanceof MaintenanceError || error instanceof S3Error) return fail(io, error.message)
    throw error
  }
}

function subjectOf(
  access: UpstreamAccess,
  command: RekeyCommand,
  bucket: Bucket,
  prefix: string,
  upstream: string,
): JournalSubject {
  return { command, bucket, prefix, upstream, targets: activeUnder(access, bucket, prefix) }
}

/** A run ends when the key version that it moves to is the active one no more. */
function pendingIn(
  keyrings: readonly Pick<OpenedKeyring, 'contents'>[],
  { targets }: JournalSubject,
  now: Date,
): readonly string[] {
  return keyrings.flatMap(({ contents }) => {
    if (contents.type === 'objects' || !targets.some((target) => target.startsWith(`${contents.name} `))) return []
    const pending = pendingAt(contents.versions, now)
    return pending === undefined
      ? []
      : [`key version ${pending.id} of ${contents.name} becomes active at ${pending.activateAt}, which ends this run`]
  })
}

async function withJournal(
  { dryRun, journal }: Given,
  subject: JournalSubject,
  io: CliIo,
  use: (journal: Journal) => Promise<number>,
): Promise<number> {
  if (dryRun === true) return use(unwrittenJournal())
  const file = journal ?? ownJournalName(subject)
  const lock = lockFile(file, processMarks())
  if (lock.type === 'held') return fail(io, lock.reason)
  try {
    const opened = openJournal(file, subject)
    const { counts, isListed } = opened.before
    if (counts.listed > 0) {
      io.stderr(
        `going on from ${file}: ${counts.listed} objects${isListed ? ', all listed' : ''}, ${counts.failed} failed\n`,
      )
    }
    try {
      const code = await use(opened)
      if (code !== 0) io.stderr(`The same command goes on from ${file}.\n`)
      return code
    } finally {
      opened.close()
    }
  } finally {
    lock.release()
  }
}

/** In the current folder; a prefix is shortened to what file names can be. */
function ownJournalName({ command, bucket, prefix }: JournalSubject): string {
  const plain = prefix.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)
  const exact =
    plain === prefix
      ? ''
      : `-${Buffer.from(prefix)
          .reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)
          .toString(16)}`
  return `ssec-proxy-${command}-${bucket}${plain === '' ? '' : `-${plain}`}${exact}.journal`
}

async function run(
  access: UpstreamAccess,
  journal: Journal,
  subject: JournalSubject,
  bucket: Bucket,
  given: Given,
  io: CliIo,
  world: CommandWorld,
): Promise<number> {
  const { command, prefix } = subject
  const options: RekeyOptions = {
    command,
    bucket,
    prefix,
    targets: subject.targets,
    concurrency: given.concurrency,
    dryRun: given.dryRun === true,
    unguarded: given.unguarded === true,
    acl: given.acl,
    singleCopyMax: given.multipartAbove,
    partSize: given.partSize,
    maxFailures: given.maxFailures,
  }
  let isStopping = false
  void world.stop().then(() => {
    isStopping = true
    io.stderr('\nstopping: what has begun is finished first\n')
  })
  const started = performance.now()
  const bar = openProgress({
    terminal: world.terminal,
    stderr: io.stderr,
    title: command,
    before: journal.before.counts.listed,
    monotonic: () => performance.now(),
  })
  const result = await runRekey(access, options, journal, {
    randomBytes: io.randomBytes,
    isStopping: () => isStopping,
    now: io.now,
    warn: (message) => io.stderr(`ssec-proxy: warning: ${message}\n`),
    progress: { total: (objects) => bar.total(objects), done: ({ listed }) => bar.done(listed) },
  }).finally(() => bar.stop())
  const remains: Remains | 'not looked at' =
    result.end === 'done'
      ? await findRemains(access, bucket, prefix, { versions: given.versions === true, concurrency: given.concurrency })
      : 'not looked at'
  const summary = {
    subject,
    dryRun: options.dryRun,
    result,
    remains,
    requests: access.sent(),
    seconds: (performance.now() - started) / 1000,
  }
  io.stdout(given.json === true ? jsonSummary(summary) : textSummary(summary))
  if (result.end === 'interrupted') return 130
  return result.end === 'done' && result.counts.failed === 0 ? 0 : 1
}

const fail = (io: CliIo, reason: string): number => {
  io.stderr(`ssec-proxy: ${printable(reason)}\n`)
  return 1
}

const number = (least: number, most: number) => (text: string) => {
  if (/^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: GIB, TiB: TIB }

const size = (most: number, inWords: string) => (text: string) => {
  const [, digits = '', unit = ''] = /^(\d{1,13})(KiB|MiB|GiB|TiB|)$/.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit] ?? 0)
  if (digits !== '' && bytes >= 1 && bytes <= most) return bytes
  throw new InvalidArgumentError(`must be a size such as 512MiB, at most ${inWords}`)
}
