import { join } from 'node:path'
import { stringify } from 'yaml'
import { existsSync } from 'node:fs'
import { freePorts } from '../test/support/free-ports.js'
import { type Program, type Running, outputOf, startProgram } from './child.js'
import type { ProxyName } from './hop-names.js'
import { PROBE_ARGUMENTS } from './probe.js'
import { ROOT } from './root.js'
import type { Options } from './options.js'
import { BUCKET, REGION } from './requests.js'
import type { Workshop } from './workshop.js'

export const PROGRAM = join(ROOT, 'bin/ssec-proxy.js')

/** Starts the proxy as users do, with signatures, a derived keyring, metrics and the access log on. */
export async function startProxy(
  options: ProxyOptions,
  workshop: Workshop,
  s3Port: number,
  name: ProxyName,
  variant: ProxyVariant = {},
): Promise<Running> {
  const { program } = await prepareProxy(options, workshop, s3Port, name, variant)
  return startProgram(program, { probed: variant.probed ?? 'no' })
}

/** Everything but its start: configuration, keyring, ports. */
export async function prepareProxy(
  { node, profile }: ProxyOptions,
  workshop: Workshop,
  s3Port: number,
  name: ProxyName,
  { workers = 1, probed = 'no' }: ProxyVariant = {},
): Promise<{ readonly program: Program; readonly adminPort: number }> {
  const pass = name === 'lean pass' ? 'lean' : 'http-proxy'
  const [port = 0, adminPort = 0] = await freePorts(2)
  const keyringFile = join(workshop.folder, 'keyring.json')
  if (!existsSync(keyringFile)) {
    const made = await outputOf(node, [PROGRAM, 'keys', 'generate', keyringFile, '--type', 'derived', '--name', 'main'])
    if (made.type === 'failed') throw new Error(made.reason)
  }
  workshop.write('client-secret', workshop.secretAccessKey)
  workshop.write('upstream-secret', 'nobody looks at it')
  const configFile = workshop.write(
    `${pass}-${port}.yaml`,
    stringify(configuration(workshop, { port, adminPort, s3Port, pass, workers })),
  )
  const profiled = ['--cpu-prof', `--cpu-prof-name=${profileName(pass, port)}`, `--cpu-prof-dir=${profile}`]
  const args = [
    ...(profile === 'none' ? [] : profiled),
    ...(probed === 'yes' ? PROBE_ARGUMENTS : []),
    ...[PROGRAM, 'serve', '--config', configFile],
  ]
  const logFile = join(workshop.folder, `${pass}-${port}.log`)
  return { program: { name, command: node, args, logFile, port }, adminPort }
}

export type ProxyOptions = Pick<Options, 'node' | 'profile'>

export interface ProxyVariant {
  readonly workers?: number
  readonly probed?: 'yes' | 'no'
}

/** Tells the profiles of one run from those of others in the folder. */
export const PROFILES_OF_THIS_RUN = `-${process.pid}-`

const profileName = (pass: string, port: number): string => `${pass}${PROFILES_OF_THIS_RUN}${port}.cpuprofile`

interface Chosen {
  readonly port: number
  readonly adminPort: number
  readonly s3Port: number
  readonly pass: 'http-proxy' | 'lean'
  readonly workers: number
}

function configuration(workshop: Workshop, { port, adminPort, s3Port, pass, workers }: Chosen): object {
  return {
    listeners: [{ https: { host: '127.0.0.1', port, cert: workshop.certFile, key: workshop.keyFile } }],
    upstream: {
      endpoint: `https://localhost:${s3Port}`,
      region: REGION,
      ca: workshop.caFile,
      pass,
      credentials: { accessKeyId: 'BENCHUPSTREAM', secretAccessKey: { file: 'upstream-secret' } },
    },
    identities: [
      {
        name: 'client',
        accessKeyId: workshop.accessKeyId,
        secretAccessKey: { file: 'client-secret' },
        signatures: ['v4', 'v2'],
        grants: [{ bucket: BUCKET, permissions: ['list', 'read', 'write'] }],
      },
    ],
    keyrings: [{ name: 'main', type: 'derived', file: 'keyring.json' }],
    rules: [{ bucket: BUCKET, keyring: 'main' }],
    admin: { host: '127.0.0.1', port: adminPort },
    log: { level: 'info', objectKeys: 'clear' },
    workers,
    // ten thousand clients may take longer than the default to be there
    timeouts: { keepAlive: '600s' },
  }
}
