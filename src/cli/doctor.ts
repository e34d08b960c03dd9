import { readFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { diskFiles } from '../config/files.js'
import { formatProblem, loadConfig } from '../config/load.js'
import type { Config, KeyringConfig, UpstreamConfig } from '../config/types.js'
import { examine, type Patient } from '../doctor/examine.js'
import { about, hasFailed, type Finding, type Status } from '../doctor/finding.js'
import { openKeyringFile, type OpenedKeyring } from '../keyring/create.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import { openUpstreamAccess, type UpstreamAccess } from '../maintenance/access.js'
import { MaintenanceError } from '../maintenance/error.js'
import { S3Error } from '../s3/error.js'
import { printable } from '../s3/printable.js'
import { type Bucket, parseBucket } from '../s3/names.js'
import { examineWorld } from '../doctor/examine-world.js'
import { credentialSource } from '../upstream/credentials.js'
import { checkModes, noticing } from './doctor-files.js'
import type { CliIo } from './io.js'
import { readKeyringText } from './keyring-storage.js'
import type { ExitCode } from './main.js'
import { checkTlsFiles } from './tls-files.js'

interface Given {
  readonly config: string
  readonly bucket: readonly Bucket[]
  readonly json?: true
}

/** `doctor`. */
export function registerDoctorCommand(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('doctor')
    .description('look at everything that the proxy rests on, one by one, and say what is wrong and what to do')
    .requiredOption('--config <file>', "the proxy's configuration")
    .option(
      '--bucket <name>',
      'look at this bucket (again for more) in place of those that rules name',
      bucketOption,
      [],
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `
It writes one small object for each rule of each bucket, under the active key, and deletes it again; nothing else is changed.
The exit code is 1 where a check failed. docs/doctor.md explains each check.`,
    )
    .action(async (given: Given) => {
      exit.code = await doctor(given, io)
    })
}

/** @returns 0 where nothing failed */
async function doctor({ config, bucket, json }: Given, io: CliIo): Promise<number> {
  const findings: Finding[] = []
  const tell = (finding: Finding): void => {
    findings.push(finding)
    if (json !== true) io.stdout(lineOf(finding))
  }
  await look(config, bucket, io, tell)
  const failed = hasFailed(findings)
  if (json === true) io.stdout(`${JSON.stringify({ ok: !failed, findings }, null, 2)}\n`)
  else io.stdout(`\n${summaryOf(findings)}\n`)
  return failed ? 1 : 0
}

type Tell = (finding: Finding) => void

async function look(file: string, buckets: readonly Bucket[], io: CliIo, tell: Tell): Promise<void> {
  const { files, read } = noticing(diskFiles)
  const loaded = loadConfig(file, io.env, files)
  const configuration = about('configuration', file)
  if (loaded.type === 'problems') {
    for (const problem of loaded.problems) tell(configuration('failed', formatProblem(problem)))
    return
  }
  const { config } = loaded
  tell(configuration('ok', contentsOf(config)))
  const [own = file, ...secrets] = read()
  for (const finding of checkModes(config, own, secrets)) tell(finding)
  for (const finding of certificates(config, io.now())) tell(finding)
  const opened = await openAll(config.keyrings, io, tell)
  if (opened.length < config.keyrings.length) return
  await lookAtUpstream(config, opened, buckets, io, tell)
}

const contentsOf = ({ listeners, identities, keyrings, rules }: Config): string =>
  [
    counted(listeners.length, 'listener'),
    counted(identities.length, 'identity'),
    counted(keyrings.length, 'keyring'),
    counted(rules.length, 'rule'),
  ].join(', ')

const counted = (count: number, what: string): string =>
  `${count} ${count === 1 ? what : what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`}`

function certificates(config: Config, now: Date): readonly Finding[] {
  const { problems, warnings } = checkTlsFiles(config, now)
  const wrong = [
    ...problems.map(({ path, message }) => about('certificate', path)('failed', message)),
    ...warnings.map(({ path, message }) => about('certificate', path)('warning', message)),
  ]
  const isHttps = config.listeners.some(({ type }) => type === 'https')
  if (wrong.length > 0 || !isHttps) return wrong
  return [about('certificate', 'listeners')('ok', 'certificates hold, and belong to their keys')]
}

/** KMS that is away shall not hold the doctor up for as long as it may hold up a start. */
const KMS_PATIENCE_MS = 10_000

async function openAll(configs: readonly KeyringConfig[], io: CliIo, tell: Tell): Promise<readonly OpenedKeyring[]> {
  const kms = kmsOverSdk(io)
  const all = configs.map(async (config) => {
    const finding = about('keyring', config.name)
    const file = await openKeyringFile(patient(config), readKeyringText(config.file), io.now, kms)
    if (file.type === 'problems') {
      for (const { path, message } of file.problems) tell(finding('failed', `${path} ${message}`))
      return []
    }
    tell(finding('ok', keysOf(file.opened)))
    return [file.opened]
  })
  return (await Promise.all(all)).flat()
}

const patient = (config: KeyringConfig): KeyringConfig =>
  config.type === 'objects' || config.kms === 'none'
    ? config
    : {
        ...config,
        kms: { ...config.kms, startTimeoutMs: Math.min(config.kms.startTimeoutMs, KMS_PATIENCE_MS) },
      }

function keysOf({ contents, keyring }: OpenedKeyring): string {
  if (contents.type === 'objects') return `${counted(contents.objects.length, 'key')} of single objects`
  const inKms = contents.versions.filter(({ type }) => type !== 'plain').length
  const opened = inKms === 0 ? 'fit their check values' : `opened by KMS (${inKms}), fit their check values`
  return `${counted(contents.versions.length, 'key version')}, ${opened}; ${keyring.keyVersions()[0] ?? 'none'} is active`
}

async function lookAtUpstream(
  config: Config,
  opened: readonly OpenedKeyring[],
  buckets: readonly Bucket[],
  io: CliIo,
  tell: Tell,
): Promise<void> {
  const { upstream, rules } = config
  const closing: UpstreamAccess[] = []
  const open = (credentials: UpstreamConfig['credentials']): UpstreamAccess => {
    const keyrings = opened.map(({ keyring }) => keyring)
    const access = openUpstreamAccess({ rules, upstream: { ...upstream, credentials } }, keyrings, {
      ...io,
      readFile: (name) => readFileSync(name, 'utf8'),
      isHasty: true,
      warn: (message) => io.stderr(`ssec-proxy: warning: ${message}\n`),
    })
    closing.push(access)
    return access
  }
  try {
    const sick: Patient = {
      upstream,
      rules,
      buckets,
      access: open(upstream.credentials),
      credentials: credentialSource(upstream.credentials),
      others: config.identities.flatMap(({ name, upstreamCredentials }) =>
        upstreamCredentials === 'shared'
          ? []
          : [
              {
                whose: `identity ${name}`,
                access: open(upstreamCredentials),
                credentials: credentialSource(upstreamCredentials),
              },
            ],
      ),
    }
    for await (const finding of examine(sick, examineWorld(upstream, io))) tell(finding)
  } catch (error) {
    if (!(error instanceof MaintenanceError)) throw error
    tell(about('configuration', 'upstream')('failed', error.message))
  } finally {
    for (const access of closing) await access.close()
  }
}

const MARKS: Readonly<Record<Status, string>> = {
  ok: 'ok',
  note: 'note',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: 'skipped',
}

/** Stores, certificates and name servers have a say in findings. */
function lineOf({ check, subject, status, detail, remedy }: Finding): string {
  const line = printable(`${MARKS[status].padEnd(8)} ${check.padEnd(13)} ${subject}: ${detail}\n`)
  return remedy === 'none' ? line : `${line}${' '.repeat(23)}→ ${printable(remedy)}\n`
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (status: Status): number => findings.filter((one) => one.status === status).length
  const parts = (['failed', 'warning', 'note', 'skipped'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${status}`)
  return `${findings.length} findings: ${parts.length === 0 ? 'all is well' : parts.join(', ')}`
}

function bucketOption(text: string, before: readonly Bucket[]): readonly Bucket[] {
  try {
    return [...before, parseBucket(text)]
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    throw new InvalidArgumentError('is no name of a bucket')
  }
}
