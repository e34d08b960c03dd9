import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { issueCertificate, makeAuthority } from '../../src/origin/certificates.js'
import { freePorts } from './free-ports.js'
import { registerKeyring, registerSecret, transcript } from './record.js'
import { plainEnvironment, runWell } from './run-program.js'
import type { S3Server } from './server.js'

export const PROGRAM = fileURLToPath(new URL('../../bin/ssec-proxy.js', import.meta.url))

/** `s3.localhost` resolves by itself in curl and browsers, `storage.test` nowhere. */
export const BASE_DOMAINS = ['s3.localhost', 'storage.test'] as const

/** What the proxies of one installation share: CA, certificate, identity, keyring. */
export interface Installation {
  readonly folder: string
  readonly caFile: string
  readonly certFile: string
  readonly keyringFile: string
  /** Proven by signature version 4 alone. */
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** May do the same, and signature version 2 proves it too. */
  readonly legacy: KeyPair
}

export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Makes one in a new temp folder; the keyring comes from the command line, as an operator's does. */
export async function makeInstallation(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'ssec-proxy-e2e-'))
  const authority = makeAuthority({ name: 'ssec-proxy e2e CA' })
  const hosts = ['localhost', '127.0.0.1', ...BASE_DOMAINS, ...BASE_DOMAINS.map((domain) => `*.${domain}`)]
  const leaf = issueCertificate(authority, { hosts })
  registerSecret(
    "private key of the proxy's certificate",
    Buffer.from(leaf.key.replace(/-----[^-]+-----/g, ''), 'base64'),
  )
  mkdirSync(join(folder, 'secrets'), { mode: 0o700 })
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  const client = addKeyPair(folder, 'client')
  write('proxy.key', leaf.key)
  const keyringFile = join(folder, 'keyring.json')
  await commandLine(['keys', 'generate', keyringFile, '--type', 'derived', '--name', 'main'])
  registerKeyring('master key', readFileSync(keyringFile, 'utf8'))
  return {
    folder,
    caFile: write('ca.crt', authority.cert),
    certFile: write('proxy.crt', leaf.cert),
    keyringFile,
    ...client,
    legacy: addKeyPair(folder, 'legacy'),
  }
}

/** A new access key; its secret is in the installation's folder as `secrets/NAME`, for the configuration of an identity. */
export function addKeyPair(folder: string, name: string): KeyPair {
  const secretAccessKey = randomBytes(30).toString('base64')
  registerSecret(`secret access key of the proxy's ${name}`, secretAccessKey)
  writeFileSync(join(folder, 'secrets', name), secretAccessKey, { mode: 0o600 })
  return { accessKeyId: `E2E${randomBytes(8).toString('hex').toUpperCase()}`, secretAccessKey }
}

export const removeInstallation = ({ folder }: Installation): void => rmSync(folder, { recursive: true, force: true })

/** Gives the keyring file a new key version, as an operator does. Running proxies load it by themselves. */
export async function rotate({ keyringFile }: Installation, ...options: readonly string[]): Promise<void> {
  await commandLine(['keys', 'rotate', keyringFile, ...options])
  registerKeyring('master key', readFileSync(keyringFile, 'utf8'))
}

/** Runs one command of the proxy's command line, and gives what it writes. */
export async function commandLine(args: readonly string[], recorded: 'yes' | 'no' = 'yes'): Promise<string> {
  const { stdout } = await runWell(process.execPath, [PROGRAM, ...args], { recorded })
  return stdout.toString()
}

/** `keys headers`: what opens an object without the proxy. Its output is keys, so it is not recorded. */
export async function breakGlass(
  configFile: string,
  bucket: string,
  objectKey: string,
): Promise<readonly KeyHeaders[]> {
  const args = ['keys', 'headers', `s3://${bucket}/${objectKey}`, '--config', configFile, '--format', 'json']
  return JSON.parse(await commandLine(args, 'no')) as readonly KeyHeaders[]
}

export interface KeyHeaders {
  readonly keyVersion: string
  readonly headers: Readonly<Record<string, string>>
}

export interface ProxyOptions {
  readonly upstream: S3Server
  /** Tells the proxies of one installation apart. */
  readonly name?: string
  readonly etag?: 'opaque' | 'passthrough'
  /** Buckets with `etag: md5`; they must be there when the proxy starts. */
  readonly md5Buckets?: readonly string[]
  /** More identities, as the configuration has them. */
  readonly identities?: readonly object[]
  /** In the installation's folder, instead of its keyring file. */
  readonly keyring?: string
  /** Default debug. */
  readonly logLevel?: 'debug' | 'warn'
  /** Changes the configuration before the start. */
  readonly change?: (configuration: Configuration) => Configuration
}

/** A configuration as it is written, to be changed by tests. */
export type Configuration = Readonly<Record<string, unknown>>

export interface RunningProxy {
  readonly configFile: string
  readonly httpsPort: number
  readonly httpPort: number
  readonly adminPort: number
  /** Everything it wrote on stdout and stderr. */
  readonly logFile: string
  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and its end. Rejects where the exit code is not 0 or half a minute, or what is given, is not enough. */
  stop(limitMs?: number): Promise<void>
  /** Starts it again as its configuration file says, on the same ports. */
  again(): Promise<RunningProxy>
}

const NO_ALIASES = { aliasDuplicateObjects: false } as const

/** Starts the proxy as users do, in a process of its own, and waits until it takes requests. */
export async function startProxy(installation: Installation, options: ProxyOptions): Promise<RunningProxy> {
  const name = options.name ?? 'proxy'
  const [httpsPort = 0, httpPort = 0, adminPort = 0] = await freePorts(3)
  const { folder } = installation
  const { ca, credentials } = options.upstream
  writeFileSync(join(folder, 'secrets/upstream'), credentials.secretAccessKey, { mode: 0o600 })
  writeFileSync(join(folder, 'upstream-ca.crt'), ca)
  registerSecret('secret access key of the upstream', credentials.secretAccessKey)
  const configFile = join(folder, `${name}.yaml`)
  const written = configuration(installation, options, { httpsPort, httpPort, adminPort })
  writeFileSync(configFile, stringify(options.change?.(written) ?? written, NO_ALIASES))
  const logFile = transcript(`${name}-${httpsPort}`, join(folder, `${name}-${httpsPort}.log`))
  return runProxy({ configFile, logFile, httpsPort, httpPort, adminPort })
}

type Placed = Pick<RunningProxy, 'configFile' | 'logFile' | 'httpsPort' | 'httpPort' | 'adminPort'>

async function runProxy(placed: Placed): Promise<RunningProxy> {
  const { configFile, logFile, adminPort } = placed
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--config', configFile], {
    env: plainEnvironment(),
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  // a test that fails half-way neither waits for the proxy nor leaves it behind
  child.unref()
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', kill)
      resolve(code === null ? `signal ${signal}` : `exit code ${code}`)
    })
  })
  const stop = async (limitMs = 30_000): Promise<void> => {
    child.ref()
    child.kill('SIGTERM')
    const timer = setTimeout(kill, limitMs)
    const how = await ended
    clearTimeout(timer)
    if (how !== 'exit code 0') throw new Error(`the proxy ended with ${how}: ${lastLines(logFile)}`)
  }
  let over: string | undefined
  void ended.then((how) => (over = how))
  for (const end = Date.now() + 20_000; !(await isReady(adminPort));) {
    if (over !== undefined) throw new Error(`the proxy did not start, ${over}: ${lastLines(logFile)}`)
    if (Date.now() > end) {
      kill()
      throw new Error(`the proxy was not ready in 20 s: ${lastLines(logFile)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const signal = (sent: NodeJS.Signals): void => void child.kill(sent)
  return { ...placed, signal, stop, again: () => runProxy(placed) }
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n')

interface Ports {
  readonly httpsPort: number
  readonly httpPort: number
  readonly adminPort: number
}

function configuration(
  installation: Installation,
  {
    upstream,
    etag = 'opaque',
    md5Buckets = [],
    identities = [],
    keyring = 'keyring.json',
    logLevel = 'debug',
  }: ProxyOptions,
  ports: Ports,
): Configuration {
  const { certFile: cert, accessKeyId, legacy } = installation
  const grants = [{ bucket: '*', permissions: ['read', 'write', 'delete', 'list', 'manage'] }]
  return {
    listeners: [
      { https: { host: '127.0.0.1', port: ports.httpsPort, cert, key: 'proxy.key' } },
      { http: { host: '127.0.0.1', port: ports.httpPort } },
    ],
    baseDomains: BASE_DOMAINS,
    upstream: {
      endpoint: upstream.endpoint,
      region: upstream.region,
      ca: 'upstream-ca.crt',
      credentials: { accessKeyId: upstream.credentials.accessKeyId, secretAccessKey: { file: 'secrets/upstream' } },
      // radosgw 16 answers 411 to checksums in trailers
      trailingChecksums: upstream.name === 'rgw' ? 'verify' : 'relay',
      // MinIO answers copies and new multipart uploads without SSE-C's headers
      proof: upstream.name === 'minio' ? 'read-back' : 'answer',
    },
    identities: [
      { name: 'client', accessKeyId, secretAccessKey: { file: 'secrets/client' }, grants },
      {
        name: 'legacy',
        accessKeyId: legacy.accessKeyId,
        secretAccessKey: { file: 'secrets/legacy' },
        signatures: ['v4', 'v2'],
        grants,
      },
      ...identities,
    ],
    keyrings: [{ name: 'main', type: 'derived', file: keyring }],
    rules: [
      { bucket: '*', keyring: 'main', etag },
      ...md5Buckets.map((bucket) => ({ bucket, keyring: 'main', etag: 'md5' })),
    ],
    admin: { host: '127.0.0.1', port: ports.adminPort },
    log: { level: logLevel, objectKeys: 'clear' },
    timeouts: { drain: '10s' },
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/readyz' }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .once('error', () => resolve(false))
      .end()
  })
}
