import type { Command } from 'commander'
import type { CliIo } from './io.js'
import type { Config } from '../config/types.js'
import type { ExitCode } from './main.js'
import { StartError } from '../server/start-error.js'
import { type ConfigSource, type ReadConfig, configSource } from '../config-source.js'
import { formatProblem } from '../config/load.js'
import { openKeyringFile, openKeyrings, type OpenedKeyring } from '../keyring/create.js'
import type { KeyringOpener } from '../keyring-files.js'
import { readKeyringText } from './keyring-storage.js'
import type { KmsWorld } from '../keyring/kms-world.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import { type RunWorld, runProxy } from '../run-proxy.js'
import { isWorker } from '../workers.js'
import { textsFromPrimary } from '../workers/worker.js'

/** How a long-running command is told to stop, or to look at its files again. */
export type ServeWorld = Pick<RunWorld, 'stop' | 'onReload' | 'version'>

/** `serve`. */
export function registerServeCommand(program: Command, io: CliIo, world: ServeWorld, exit: ExitCode): void {
  program
    .command('serve')
    .description('run the proxy')
    .requiredOption('--config <file>', 'configuration, YAML (see config/ for examples)')
    .action(async ({ config }: { config: string }) => {
      exit.code = await serve(config, io, world)
    })
}

/** Runs the proxy of a configuration file until it is told to stop. Every problem at the start is one clear line. */
export async function serve(file: string, io: CliIo, world: ServeWorld): Promise<number> {
  const kms = kmsOverSdk(io)
  try {
    const opened = await openConfiguration(file, io, kms)
    if (opened === 'wrong') return 1
    await runProxy(opened.config, opened.keyrings, {
      ...io,
      ...world,
      source: opened.source,
      seen: opened.seen,
      opener: openerOf(io, kms),
      keyringEvents: kms.listen,
      onReady: () => undefined,
    })
    return 0
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    io.stderr(`ssec-proxy: ${error.message}\n`)
    return 1
  } finally {
    // A question that KMS leaves unanswered, or a pause before the next, would hold up the end of the process.
    kms.close()
  }
}

/** Opens keyring files as at the start, when they have changed. */
export const openerOf = ({ now }: CliIo, kms: KmsWorld): KeyringOpener => ({
  read: readKeyringText,
  open: (config, file) => openKeyringFile(config, file, now, kms),
})

/** The configuration and its keyrings; or `wrong`, and every problem is on stderr. */
export async function openConfiguration(
  file: string,
  io: CliIo,
  kms: KmsWorld,
): Promise<OpenedConfiguration | 'wrong'> {
  const source = configSource(file, io.env)
  const { result: loaded, seen } = isWorker() ? await asPrimaryRead(source) : source.read()
  if (loaded.type === 'problems') return tell(loaded.problems.map(formatProblem), io)
  const opened = await openKeyrings(loaded.config.keyrings, readKeyringText, io.now, kms)
  if (opened.type === 'problems')
    return tell(
      opened.problems.map(({ path, message }) => `${path}: ${message}`),
      io,
    )
  for (const { path, message } of opened.warnings) io.stderr(`ssec-proxy: warning: ${path}: ${message}\n`)
  return { config: loaded.config, keyrings: opened.opened, source, seen }
}

async function asPrimaryRead(source: ConfigSource): Promise<ReadConfig> {
  const texts = await textsFromPrimary()
  return { result: source.from(texts), seen: texts }
}

export interface OpenedConfiguration {
  readonly config: Config
  readonly keyrings: readonly OpenedKeyring[]
  readonly source: ConfigSource
  readonly seen: ReadConfig['seen']
}

function tell(problems: readonly string[], io: CliIo): 'wrong' {
  for (const problem of problems) io.stderr(`ssec-proxy: ${problem}\n`)
  return 'wrong'
}
