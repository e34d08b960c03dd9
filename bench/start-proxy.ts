import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { existsSync } from 'node:fs'
import { freePorts } from '../test/support/free-ports.js'
import { type Running, outputOf, startProgram } from './child.js'
import type { ProxyName } from './hops.js'
import type { Options } from './options.js'
import { BUCKET, REGION } from './requests.js'
import type { Workshop } from './workshop.js'

export const PROGRAM = fileURLToPath(new URL('../../bin/ssec-proxy.js', import.meta.url))

/** Starts the proxy as users do, in one process, with signatures, a derived keyring, metrics and the access log on. */
export async function startProxy(
  { node, profile }: Pick<Options, 'node' | 'profile'>,
  workshop: Workshop,
  s3Port: number,
  name: ProxyName,
): Promise<Running> {
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
    `${pass}.yaml`,
    stringify(configuration(workshop, { port, adminPort, s3Port, pass })),
  )
  return startProgram({
    name,
    command: node,
    args: [
      ...(profile === 'none' ? [] : ['--cpu-prof', `--cpu-prof-name=${pass}-${process.pid}-${port}.cpuprofile`, `--cpu-prof-dir=${profile}`]),
      ...[PROGRAM, 'serve', '--config', configFile],
    ],
    logFile: join(workshop.folder, `${pass}.log`),
    port,
  })
}

interface Chosen {
  readonly port: number
  readonly adminPort: number
  readonly s3Port: number
  readonly pass: 'http-proxy' | 'lean'
}

function configuration(workshop: Workshop, { port, adminPort, s3Port, pass }: Chosen): object {
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
    workers: 1,
  }
}
