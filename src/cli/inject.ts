import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { failureReason } from '../config/files.js'
import type { CliIo } from './io.js'
import type { ExitCode } from './main.js'
import { injectManifests } from './inject-manifests.js'
import { type PodOptions, withAnnotations } from './inject-options.js'
import { ANNOTATIONS } from './inject-options.js'
import { SIDECAR_DEFAULTS } from './sidecar.js'

/** `inject`. */
export function registerInjectCommand(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('inject')
    .description('put the proxy as a sidecar into the pods of Kubernetes manifests, and write them to standard output')
    .argument('<file>', 'manifests, YAML or JSON; - is standard input')
    .option('--image <image>', 'image of the proxy')
    .option('--config-map <name>', 'ConfigMap with ssec-proxy.yaml')
    .option('--secrets <names>', 'Secrets whose keys are files beside the configuration, with commas between them')
    .option(
      '--credentials-secret <name>',
      'Secret with access-key-id and secret-access-key, which the program signs with',
    )
    .option('--port <port>', 'port of the http listener on 127.0.0.1')
    .option('--admin-port <port>', 'port of the admin listener')
    .option('--region <region>', 'region that the program signs for, where it has none itself')
    .option('--cpu-request <quantity>', 'CPU of the sidecar')
    .option('--memory-request <quantity>', 'memory of the sidecar')
    .option('--memory-limit <quantity>', 'most memory of the sidecar')
    .addHelpText(
      'after',
      "\nAnnotations ssec-proxy.io/OPTION of a workload or pod say it for that one; ssec-proxy.io/inject: 'false' leaves it out.",
    )
    .action((file: string, given: Readonly<Record<string, string>>) => {
      exit.code = inject(file, given, io)
    })
}

/** @returns the exit code: 0, or 1 where something was refused; then there is no output at all */
export function inject(file: string, given: Readonly<Record<string, string>>, io: CliIo): number {
  const options = optionsOf(given)
  if (options.type === 'problems') {
    for (const problem of options.problems) io.stderr(`${problem}\n`)
    return 1
  }
  let text
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    io.stderr(`${file}: cannot be read: ${failureReason(error)}\n`)
    return 1
  }
  const { text: output, objects } = injectManifests(text, options.options)
  for (const { object, type, notes } of objects) {
    io.stderr(`${object}: ${type}${notes.map((note) => `\n  ${note}`).join('')}\n`)
  }
  if (objects.some(({ type }) => type === 'refused')) return 1
  if (objects.length === 0) io.stderr('no pod was found: nothing is changed\n')
  io.stdout(output)
  return 0
}

/** Options of the command line are checked as annotations are. */
function optionsOf(given: Readonly<Record<string, string>>) {
  const defaults: PodOptions = { ...SIDECAR_DEFAULTS, inject: true, containers: 'all' }
  const named = Object.entries(given).map(([name, value]) => [`${ANNOTATIONS}${dashed(name)}`, value] as const)
  const read = withAnnotations(defaults, Object.fromEntries(named))
  if (read.type === 'options') return read
  return { ...read, problems: read.problems.map((problem) => problem.replace(`annotation ${ANNOTATIONS}`, '--')) }
}

/** commander's `configMap` is the option `--config-map`. */
const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
