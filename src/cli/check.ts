import type { Command } from 'commander'
import { formatProblem, loadConfig } from '../config/load.js'
import type { Problem } from '../config/problem.js'
import type { Config } from '../config/types.js'
import { createKeyrings } from '../keyring/create.js'
import { compileRules } from '../keyring/select.js'
import type { KmsWorld } from '../keyring/kms-world.js'
import { kmsOverSdk } from '../kms-over-sdk.js'
import type { CliIo } from './io.js'
import { readKeyringText } from './keyring-storage.js'
import type { ExitCode } from './main.js'
import { summarise } from './summary.js'
import { checkTlsFiles } from './tls-files.js'

/** `check`. */
export function registerCheckCommand(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('check')
    .description('read a configuration and the files that it names; report every problem, or what it comes to')
    .requiredOption('--config <file>', 'configuration, YAML (see config/ for examples)')
    .action(({ config }: { config: string }) => {
      exit.code = check(config, io)
    })
}

/**
 * Everything that `serve` would find wrong at its start, without listening anywhere: the configuration, its secrets,
 * keyring files with their check values, certificates with their keys. One line for each problem on stderr, or `ok` and
 * a summary on stdout. No request is sent anywhere, so keys that only KMS can give are not opened.
 *
 * @returns the exit code
 */
export function check(file: string, io: CliIo): number {
  const loaded = loadConfig(file, io.env)
  if (loaded.type === 'problems') return fail(file, loaded.problems.map(formatProblem), io)
  const files = openFiles(loaded.config, io.now(), kmsOverSdk(io))
  for (const { path, message } of files.warnings) io.stderr(`warning: ${path}: ${message}\n`)
  if (files.problems.length > 0) return fail(file, files.problems.map(formatted), io)
  io.stdout(`ok\n${files.summary}`)
  return 0
}

interface OpenedFiles {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly summary: string
}

function openFiles(config: Config, now: Date, kms: KmsWorld): OpenedFiles {
  const tls = checkTlsFiles(config, now)
  const created = createKeyrings(config.keyrings, readKeyringText, () => now, kms)
  if (created.type === 'problems') {
    return { problems: [...tls.problems, ...created.problems], warnings: tls.warnings, summary: '' }
  }
  const rules = compileRules(
    config.rules,
    created.opened.map(({ keyring }) => keyring),
  )
  const contents = created.opened.map((one) => one.contents)
  return {
    problems: [...tls.problems, ...(rules.type === 'problems' ? rules.problems : [])],
    warnings: [...tls.warnings, ...created.warnings],
    summary: summarise(config, contents),
  }
}

const formatted = ({ path, message }: Problem): string => `${path}: ${message}`

function fail(file: string, lines: readonly string[], io: CliIo): number {
  for (const line of lines) io.stderr(`${line}\n`)
  io.stderr(`${file}: ${lines.length === 1 ? '1 problem' : `${lines.length} problems`}\n`)
  return 1
}
