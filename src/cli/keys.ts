import { Option, type Command } from 'commander'
import { HEADER_FORMATS, type HeaderFormat } from './header-formats.js'
import type { CliIo } from './io.js'
import { ACTIVATE_AT, ACTIVATE_IN, activationOf, type ActivationOptions } from './activation.js'
import { keysActivate } from './keys-activate.js'
import { keysRotate } from './keys-rotate.js'
import { keysGenerate } from './keys-generate.js'
import { keysHeaders } from './keys-headers.js'
import type { ExitCode } from './main.js'

interface GenerateOptions {
  readonly name: string
  readonly type: 'derived' | 'fixed'
  readonly id?: string
}

interface HeadersOptions {
  readonly config: string
  readonly versionId?: string
  readonly keyVersion?: string
  readonly format: HeaderFormat
}

const ID = "the new key version's id (default: from the date and the check value)"

/** Everything under `keys`. */
export function registerKeysCommands(program: Command, io: CliIo, exit: ExitCode): void {
  const keys = program
    .command('keys')
    .description('make, rotate and look at keyring files; print the headers of one object')
  const wrong = (reason: string): number => {
    io.stderr(`${reason}\n`)
    return 1
  }
  keys
    .command('generate')
    .description('make a keyring file with one key version')
    .argument('<file>', 'the keyring file; one that exists is never replaced')
    .requiredOption('--name <name>', 'what the configuration calls the keyring')
    .addOption(
      new Option('--type <type>', 'a data key for each object, or one for all')
        .choices(['derived', 'fixed'] as const)
        .makeOptionMandatory(),
    )
    .option('--id <id>', ID)
    .action((file: string, { name, type, id }: GenerateOptions) => {
      exit.code = keysGenerate({ file, name, type, id }, io)
    })
  keys
    .command('rotate')
    .description('give a keyring file a new key version that writes use; the others stay readable')
    .argument('<file>', 'the keyring file')
    .option('--activate-in <time>', ACTIVATE_IN)
    .option('--activate-at <instant>', ACTIVATE_AT)
    .option('--id <id>', ID)
    .action((file: string, { id, ...when }: ActivationOptions & { readonly id?: string }) => {
      const activation = activationOf(when, io.now())
      exit.code = typeof activation === 'string' ? wrong(activation) : keysRotate({ file, id, activation }, io)
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
}
