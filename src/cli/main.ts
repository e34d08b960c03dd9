import { Command, CommanderError } from 'commander'
import type { CliIo } from './io.js'
import { registerCheckCommand } from './check.js'
import { registerDoctorCommand } from './doctor.js'
import { registerHealthCommand } from './health.js'
import { registerInjectCommand } from './inject.js'
import { registerKeysCommands } from './keys.js'
import { openProgress } from './progress.js'
import { registerRekeyCommands } from './rekey.js'
import { registerPolicyCommands } from './policy.js'
import { registerQuickstartCommand } from './quickstart.js'
import { registerServeCommand, type ServeWorld } from './serve.js'

/** The command line. Resolves with the exit code; nothing here ends the process. */
export async function runCommandLine(
  args: readonly string[],
  io: CliIo,
  world: CommandWorld,
  version: string,
): Promise<number> {
  const program = new Command('ssec-proxy')
    .description('HTTPS reverse proxy that encrypts what unchanged S3 clients store, with SSE-C and keys that you hold')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError('(--help shows what there is)')
  const exit: ExitCode = { code: 0 }
  registerServeCommand(program, io, { ...world, version }, exit)
  registerQuickstartCommand(program, io, { ...world, version }, exit)
  registerCheckCommand(program, io, exit)
  registerHealthCommand(program, io, exit)
  registerInjectCommand(program, io, exit)
  registerDoctorCommand(program, io, exit)
  registerKeysCommands(program, io, exit, (title) =>
    openProgress({ terminal: world.terminal, stderr: io.stderr, title, before: 0, monotonic: () => performance.now() }),
  )
  registerRekeyCommands(program, io, world, exit)
  registerPolicyCommands(program, io, exit)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exit.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    throw error
  }
}

/** What long-running commands have of the process. */
export type CommandWorld = Omit<ServeWorld, 'version'> & {
  /** For progress bars. */
  readonly terminal: NodeJS.WriteStream | 'none'
}

/** Where a command leaves its exit code. */
export interface ExitCode {
  code: number
}
