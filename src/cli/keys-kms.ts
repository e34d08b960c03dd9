import type { Command } from 'commander'
import { kmsOverSdk } from '../kms-over-sdk.js'
import type { CliIo } from './io.js'
import { keysUnwrap, keysWrap } from './keys-wrap.js'
import { kmsOf, withKmsOptions, type CommandKms, type KmsOptions } from './kms-options.js'
import type { ExitCode } from './main.js'
import type { KmsConfig } from '../config/types.js'

interface WrapOptions extends KmsOptions {
  readonly kmsKeyId: string
  readonly keyVersion: readonly string[]
  readonly rewrap?: true
}

interface UnwrapOptions extends KmsOptions {
  readonly keyVersion: readonly string[]
  readonly to?: string
  readonly inPlace?: true
}

/** The commands under `keys` that change what KMS wraps. */
export function registerKeysKmsCommands(keys: Command, io: CliIo, exit: ExitCode): void {
  withKmsOptions(
    keys
      .command('wrap')
      .description('let KMS wrap the keys in a keyring file, so that the file alone opens nothing')
      .argument('<file>', 'the keyring file; it is replaced when KMS has opened again what it wrapped')
      .requiredOption('--kms-key-id <id>', 'key id, ARN or alias of the KMS key that wraps; an alias becomes its ARN')
      .option('--key-version <id>', 'only this key version; may be repeated', repeated, [])
      .option('--rewrap', 'also those that are wrapped already'),
  ).action(async (file: string, { kmsKeyId, keyVersion, rewrap, ...where }: WrapOptions) => {
    exit.code = await withKms(file, where, io, (kms, world) =>
      keysWrap({ file, keyVersions: keyVersion, kms, kmsKeyId, rewrap: rewrap === true }, io, world),
    )
  })
  withKmsOptions(
    keys
      .command('unwrap')
      .description('write the wrapped keys of a keyring file in the clear: a copy for a safe, or the way out of KMS')
      .argument('<file>', 'the keyring file')
      .option('--to <file>', 'into this new file of mode 0600; one that exists is never replaced')
      .option('--in-place', 'into the keyring file itself')
      .option('--key-version <id>', 'only this key version; may be repeated', repeated, []),
  ).action(async (file: string, { to, inPlace, keyVersion, ...where }: UnwrapOptions) => {
    if ((to === undefined) === (inPlace === undefined)) {
      io.stderr('this makes keys in the clear: say where with --to FILE or --in-place, one of the two\n')
      exit.code = 1
      return
    }
    const target = to === undefined ? ({ type: 'in-place' } as const) : ({ type: 'file', file: to } as const)
    exit.code = await withKms(file, where, io, (kms, world) =>
      keysUnwrap({ file, keyVersions: keyVersion, kms, to: target }, io, world),
    )
  })
}

/** For options that may come more than once. */
export const repeated = (id: string, before: readonly string[]): readonly string[] => [...before, id]

/** Runs a command with the KMS that its options name. @returns the exit code */
export async function withKms(
  file: string,
  where: KmsOptions,
  io: CliIo,
  run: (config: KmsConfig, world: CommandKms) => Promise<number>,
): Promise<number> {
  const found = kmsOf(file, where, io)
  if (found.type === 'none') io.stderr('where is KMS? --config FILE or --kms-region REGION says it\n')
  if (found.type !== 'kms') return 1
  const world = kmsOverSdk(io)
  try {
    return await run(found.config, world)
  } finally {
    world.close()
  }
}
