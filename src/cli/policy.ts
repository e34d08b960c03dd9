import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createTwoFilesPatch } from 'diff'
import { formatProblem, loadConfig } from '../config/load.js'
import { openUpstreamAccess } from '../maintenance/access.js'
import { readPolicy, writePolicy } from '../maintenance/bucket-policy.js'
import { MaintenanceError } from '../maintenance/error.js'
import {
  isSamePolicy,
  policyOf,
  withStatement,
  type BucketPolicy,
  type PolicyKind,
  type PolicyScope,
} from '../s3/bucket-policy.js'
import type { Bucket } from '../s3/names.js'
import { printable } from '../s3/printable.js'
import type { CliIo } from './io.js'
import type { ExitCode } from './main.js'
import { parsePlace, type Place } from './place.js'

interface Given {
  readonly principal: string | 'everybody'
  readonly partition: string
  readonly apply?: true
  readonly dryRun?: true
  readonly config?: string
}

const TEXTS: Readonly<Record<PolicyKind, { readonly description: string; readonly after: string }>> = {
  require: {
    description: 'print the bucket policy that makes S3 itself deny uploads without a customer key',
    after: `
With it, nothing can be stored in the clear in the bucket, whoever writes past the proxy. Objects that rules with
keyring: none store in the clear need a bucket or a prefix of their own.`,
  },
  restrict: {
    description: 'print the bucket policy that makes S3 itself deny uploads with a customer key',
    after: `
For buckets that must stay readable without the proxy, and against somebody who encrypts them with a key of their own.`,
  },
}

const ARN = /^arn:[a-z-]+:(?:iam|sts)::\d{12}:[\x21-\x7e]+$/

/** `policy require` and `policy restrict`. */
export function registerPolicyCommands(program: Command, io: CliIo, exit: ExitCode): void {
  const policy = program.command('policy').description('bucket policies about customer keys: S3 itself says no')
  for (const kind of ['require', 'restrict'] as const) {
    policy
      .command(kind)
      .description(TEXTS[kind].description)
      .argument('<place>', 's3://BUCKET or s3://BUCKET/PREFIX, taken literally', parsePlace)
      .option('--principal <arn>', 'whom it is about (default: everybody)', principal, 'everybody')
      .addOption(
        new Option('--partition <name>', "AWS's partition").choices(['aws', 'aws-cn', 'aws-us-gov']).default('aws'),
      )
      .option('--apply', "add it to the bucket's policy, after showing the difference; needs --config")
      .option('--dry-run', 'with --apply: only show the difference')
      .option('--config <file>', 'the configuration whose upstream and credentials are used')
      .addHelpText('after', TEXTS[kind].after)
      .action(async (place: Place, given: Given) => {
        exit.code = await policyCommand(kind, place, given, io)
      })
  }
}

/** Prints the policy, or puts its statement into the bucket's own. @returns the exit code */
async function policyCommand(kind: PolicyKind, place: Place, given: Given, io: CliIo): Promise<number> {
  const { principal, partition } = given
  const scope: PolicyScope = { ...place, principal, partition }
  if (given.apply !== true) {
    if (given.dryRun === true) return fail(io, '--dry-run belongs to --apply')
    io.stdout(format(policyOf(kind, scope)))
    return 0
  }
  if (given.config === undefined) return fail(io, '--apply needs --config: its upstream has the bucket')
  const loaded = loadConfig(given.config, io.env)
  if (loaded.type === 'problems') return fail(io, ...loaded.problems.map(formatProblem))
  try {
    const access = openUpstreamAccess({ upstream: loaded.config.upstream, rules: [] }, [], {
      ...io,
      readFile: (file) => readFileSync(file, 'utf8'),
      isHasty: true,
      warn: (message) => io.stderr(`ssec-proxy: warning: ${message}\n`),
    })
    try {
      const now = await readPolicy(access, place.bucket)
      const then = withStatement(now, kind, scope)
      if (isSamePolicy(now, then)) {
        io.stdout(`the policy of ${place.bucket} says so already; nothing to do\n`)
        return 0
      }
      io.stdout(difference(place.bucket, now, then))
      if (given.dryRun === true) return 0
      await writePolicy(access, place.bucket, then)
      if (!isSamePolicy(then, await readPolicy(access, place.bucket)))
        return fail(io, `the policy of ${place.bucket} was set, but it reads back as another one; look at it`)
      io.stdout(`the policy of ${place.bucket} is set\n`)
      return 0
    } finally {
      await access.close()
    }
  } catch (error) {
    if (error instanceof MaintenanceError) return fail(io, error.message)
    throw error
  }
}

const format = (policy: BucketPolicy): string => `${JSON.stringify(policy, null, 2)}\n`

/** As `diff -u` shows it. */
function difference(bucket: Bucket, now: BucketPolicy | 'none', then: BucketPolicy): string {
  const [before, after] = [now, then].map((one) => (one === 'none' ? '' : format(one)))
  const name = `policy of ${bucket}`
  return printable(createTwoFilesPatch(name, name, before ?? '', after ?? '', 'now', 'then'))
}

const principal = (text: string): string => {
  if (ARN.test(text)) return text
  throw new InvalidArgumentError(
    'must be the ARN of an account, user or role, as in arn:aws:iam::123456789012:role/app',
  )
}

function fail(io: CliIo, ...reasons: readonly string[]): number {
  for (const reason of reasons) io.stderr(`ssec-proxy: ${reason}\n`)
  return 1
}
