import { Option, type Command } from 'commander'
import { HEADER_FORMATS, type HeaderFormat } from './header-formats.js'
import type { CliIo } from './io.js'
import { keysGenerate } from './keys-generate.js'
import { keysHeaders } from './keys-headers.js'
import type { ExitCode } from './main.js'

interface GenerateOptions {
  readonly name?: string
  readonly type?: 'derived' | 'fixed'
  readonly id?: string
  readonly add?: true
}

interface HeadersOptions {
  readonly config: string
  readonly versionId?: string
  readonly keyVersion?: string
  readonly format: HeaderFormat
}

/** `keys generate` and `keys headers`. */
export function registerKeysCommands(program: Command, io: CliIo, exit: ExitCode): void {
  const keys = program.command('keys').description('make keyring files; print the headers of one object')
  keys
    .command('generate')
    .description('make a keyring file, or give one a new active key version')
    .argument('<file>', 'the keyring file')
    .option('--name <name>', 'what the configuration calls the keyring')
    .addOption(
      new Option('--type <type>', 'a data key for each object, or one for all').choices(['derived', 'fixed'] as const),
    )
    .option('--id <id>', "the new key version's id (default: from the date and the check value)")
    .option('--add', 'extend a file that exists: the new key version is active, the others stay readable')
    .action((file: string, { name, type, id, add }: GenerateOptions) => {
      exit.code = keysGenerate({ file, name, type, id, add: add === true }, io)
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
