import { type Command, InvalidArgumentError } from 'commander'
import type { CliIo } from './io.js'
import type { ExitCode } from './main.js'
import { StartError } from '../server/start-error.js'
import { quickstart } from '../quickstart/quickstart.js'
import { type ServeWorld, serve } from './serve.js'

interface QuickstartOptions {
  readonly directory: string
  readonly port: number
  readonly originPort: number
}

/** `quickstart`, and `start`, which is `npm start`: with --config it serves, without it is the quickstart. */
export function registerQuickstartCommand(program: Command, io: CliIo, world: ServeWorld, exit: ExitCode): void {
  const run = async ({ directory, port, originPort }: QuickstartOptions) => {
    try {
      exit.code = await quickstart(directory, { proxy: port, origin: originPort }, io, world)
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      io.stderr(`ssec-proxy: ${error.message}\n`)
      exit.code = 1
    }
  }
  const withOptions = (command: Command) =>
    command
      .option('--directory <folder>', 'where certificates, secrets and the keyring are kept', '.ssec-proxy')
      .option('--port <port>', "the proxy's port", portNumber, 8443)
      .option('--origin-port <port>', "the embedded S3's port", portNumber, 8444)
  withOptions(program.command('quickstart'))
    .description('run the proxy in front of an embedded S3 on this machine, check both, and print commands to try')
    .action(run)
  withOptions(program.command('start', { hidden: true }))
    .option('--config <file>', 'configuration, YAML')
    .action(async ({ config, ...options }: QuickstartOptions & { readonly config?: string }) => {
      if (config === undefined) await run(options)
      else exit.code = await serve(config, io, world)
    })
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('a port is 1 to 65535')
  return port
}
