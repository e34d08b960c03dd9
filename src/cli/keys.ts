import { InvalidArgumentError, Option, type Command } from 'commander'
import { HEADER_FORMATS, type HeaderFormat } from './header-formats.js'
import type { CliIo } from './io.js'
import { ACTIVATE_AT, ACTIVATE_IN, activationOf, type ActivationOptions } from './activation.js'
import { keysActivate } from './keys-activate.js'
import { keysList } from './keys-list.js'
import { keysRetire } from './keys-retire.js'
import { keysRotate } from './keys-rotate.js'
import { keysVerify } from './keys-verify.js'
import type { CommandProgress } from './open-maintenance.js'
import { keysGenerate } from './keys-generate.js'
import { keysHeaders } from './keys-headers.js'
import { registerKeysKmsCommands, repeated, withKms } from './keys-kms.js'
import { keysGenerateInKms, keysRotateInKms } from './keys-new-in-kms.js'
import { byHand, withKmsOptions, type KmsOptions } from './kms-options.js'
import type { ExitCode } from './main.js'

interface GenerateOptions extends KmsOptions {
  readonly name: string
  readonly type: 'derived' | 'fixed' | 'kms-mac'
  readonly id?: string
  readonly kmsKeyId?: string
}

interface RotateOptions extends ActivationOptions, KmsOptions {
  readonly id?: string
  readonly kmsKeyId?: string
  readonly plain?: true
}

interface VerifyOptions {
  readonly config?: string
  readonly bucket?: string
  readonly prefix: string
  readonly sample: number
  readonly all?: true
  readonly json?: true
}

interface RetireOptions {
  readonly config: string
  readonly ignoreUploads?: true
  readonly bucket: readonly string[]
  readonly theseAreAll?: true
}

interface HeadersOptions {
  readonly config: string
  readonly versionId?: string
  readonly keyVersion?: string
  readonly format: HeaderFormat
}

const ID = "the new key version's id (default: from the date and the check value)"

/** Everything under `keys`. */
export function registerKeysCommands(program: Command, io: CliIo, exit: ExitCode, progress: CommandProgress): void {
  const keys = program
    .command('keys')
    .description('make, rotate and look at keyring files; print the headers of one object')
  const wrong = (reason: string): number => {
    io.stderr(`${reason}\n`)
    return 1
  }
  byHand(
    keys
      .command('generate')
      .description('make a keyring file with one key version')
      .argument('<file>', 'the keyring file; one that exists is never replaced')
      .requiredOption('--name <name>', 'what the configuration calls the keyring')
      .addOption(
        new Option('--type <type>', 'a data key for each object, one for all, or for each by a key that stays in KMS')
          .choices(['derived', 'fixed', 'kms-mac'] as const)
          .makeOptionMandatory(),
      )
      .option('--id <id>', ID)
      .option('--kms-key-id <id>', 'the KMS key that wraps the key, or is it (kms-mac); an alias becomes its ARN'),
  ).action(async (file: string, { name, type, id, kmsKeyId, ...where }: GenerateOptions) => {
    if (kmsKeyId !== undefined) {
      exit.code = await withKms(file, where, io, (kms, world) =>
        keysGenerateInKms({ file, name, type, id, kms, kmsKeyId }, io, world),
      )
    } else if (type === 'kms-mac') exit.code = wrong('--kms-key-id is missing: the keys of kms-mac are in KMS')
    else if (Object.keys(where).length > 0) exit.code = wrong('--kms-key-id is missing: without it the key is plain')
    else exit.code = keysGenerate({ file, name, type, id }, io)
  })
  withKmsOptions(
    keys
      .command('rotate')
      .description('give a keyring file a new key version that writes use; the others stay readable')
      .argument('<file>', 'the keyring file')
      .option('--activate-in <time>', ACTIVATE_IN)
      .option('--activate-at <instant>', ACTIVATE_AT)
      .option('--id <id>', ID)
      .option('--kms-key-id <id>', 'the KMS key that wraps the new key (default: that of the active one), or is it')
      .option('--plain', 'in the clear, although the active key is wrapped'),
  ).action(async (file: string, options: RotateOptions) => {
    const { id, activateIn, activateAt, kmsKeyId, plain, ...where } = options
    const activation = activationOf(
      { ...(activateIn === undefined ? {} : { activateIn }), ...(activateAt === undefined ? {} : { activateAt }) },
      io.now(),
    )
    const inKms = kmsKeyId !== undefined || Object.keys(where).length > 0
    if (typeof activation === 'string') exit.code = wrong(activation)
    else if (plain === true && inKms) exit.code = wrong('--plain and KMS are one too many')
    else if (!inKms) exit.code = keysRotate({ file, id, activation, plain: plain === true }, io)
    else {
      exit.code = await withKms(file, where, io, (kms, world) =>
        keysRotateInKms({ file, id, activation, kms, kmsKeyId }, io, world),
      )
    }
  })
  keys
    .command('activate')
    .description('make a key version that is pending or readable the one that writes use')
    .argument('<file>', 'the keyring file')
    .argument('<version>', 'the id of the key version')
    .option('--activate-in <time>', ACTIVATE_IN)
    .option('--activate-at <instant>', ACTIVATE_AT)
    .action((file: string, id: string, when: ActivationOptions) => {
      const activation = activationOf(when, io.now())
      exit.code = typeof activation === 'string' ? wrong(activation) : keysActivate({ file, id, activation }, io)
    })
  keys
    .command('list')
    .description('show the key versions of a keyring file: ids, states, age and check values, never a key')
    .argument('<file>', 'the keyring file')
    .option('--json', 'for programs')
    .action((file: string, { json }: { readonly json?: true }) => {
      exit.code = keysList({ file, json: json === true }, io)
    })
  keys
    .command('verify')
    .description('open keyring files and hold them to their check values; with --bucket, find the key of each object')
    .argument('[file]', 'the keyring file (default: all of the configuration)')
    .option('--config <file>', "the proxy's configuration")
    .option('--bucket <bucket>', 'look at the objects of this bucket, old versions too')
    .option('--prefix <prefix>', 'only under this prefix', '')
    .addOption(new Option('--sample <n>', 'look at so many of them').argParser(count).default(1000).conflicts('all'))
    .option('--all', 'look at all of them')
    .option('--json', 'for programs')
    .addHelpText('after', '\nThe exit code is 1 where a key does not fit, or an object opens with none of its keys.')
    .action(async (file: string | undefined, { json, all, sample, prefix, config, bucket }: VerifyOptions) => {
      const args = { file, config, bucket, prefix, sample: all === true ? 'all' : sample, json: json === true } as const
      exit.code = await keysVerify(args, io, progress)
    })
  keys
    .command('retire')
    .description('take a key version out of a keyring file, once nothing that is stored needs it')
    .argument('<file>', 'the keyring file')
    .argument('<version>', 'the id of the key version')
    .requiredOption('--config <file>', "the proxy's configuration: the rules with this keyring say where to look")
    .option('--ignore-uploads', 'although unfinished uploads may have been created with it; they are lost')
    .option('--bucket <bucket>', 'look here too: a bucket of another account; may be repeated', repeated, [])
    .option('--these-are-all', 'where a rule is for `*`: its objects are in the own buckets and those of --bucket')
    .action(async (file: string, id: string, { config, ignoreUploads, bucket, theseAreAll }: RetireOptions) => {
      const args = { file, id, config, buckets: bucket, theseAreAll: theseAreAll === true }
      exit.code = await keysRetire({ ...args, ignoreUploads: ignoreUploads === true }, io, progress)
    })
  keys
    .command('headers')
    .description('print the SSE-C headers of one object, to read it without the proxy; this shows its data keys')
    .argument('<object>', 's3://BUCKET/OBJECTKEY, taken literally, without percent-encoding')
    .requiredOption('--config <file>', "the proxy's configuration")
    .option('--version-id <id>', 'the version of the object (for keyrings of single objects)')
    .option('--key-version <id>', 'only this key version')
    .addOption(new Option('--format <format>', 'for whom').choices(HEADER_FORMATS).default('curl'))
    .action(async (object: string, { config, versionId, keyVersion, format }: HeadersOptions) => {
      exit.code = await keysHeaders({ object, config, versionId, keyVersion, format }, io)
    })
  registerKeysKmsCommands(keys, io, exit)
}

function count(text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a number from 1 to 9999999.')
}
