import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { issueCertificate, makeAuthority } from '../origin/certificates.js'
import type { CliIo } from '../cli/io.js'
import { StartError } from '../server/start-error.js'
import { join } from 'node:path'
import { keysGenerate } from '../cli/keys-generate.js'

export interface QuickstartPorts {
  readonly proxy: number
  readonly origin: number
}

/** Where the quickstart keeps what it made, so that a second run opens what the first one wrote. */
export interface QuickstartFolder {
  readonly config: string
  readonly ca: string
  readonly keyring: string
  readonly clientSecretFile: string
  readonly clientSecret: string
  readonly originSecret: string
  readonly originCertificate: { readonly cert: string; readonly key: string }
}

/** The access key of the one client, and of the proxy at the embedded origin. */
export const CLIENT_ACCESS_KEY_ID = 'QUICKSTARTCLIENT'
export const ORIGIN_ACCESS_KEY_ID = 'QUICKSTARTORIGIN'
export const BUCKET = 'demo'
export const REGION = 'us-east-1'

const HOSTS = ['localhost', '127.0.0.1', '::1', 's3.localhost', '*.s3.localhost']
const YEAR_DAYS = 365

/**
 * Makes what is missing: a CA, two certificates, two secrets, a keyring, a configuration. Everything is readable by its
 * owner only. The configuration is written anew each time, because the ports are in it.
 *
 * @throws StartError where the folder cannot be written
 */
export function prepareFolder(folder: string, ports: QuickstartPorts, io: CliIo): QuickstartFolder {
  const at = (name: string) => join(folder, name)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    makeCertificates(at)
    for (const name of ['client-secret', 'origin-secret']) {
      once(at(name), () => io.randomBytes(30).toString('base64url'))
    }
    makeKeyring(at('keyring.json'), io)
    write(at('ssec-proxy.yaml'), configuration(ports))
    return {
      config: at('ssec-proxy.yaml'),
      ca: at('ca.pem'),
      keyring: at('keyring.json'),
      clientSecretFile: at('client-secret'),
      clientSecret: readFileSync(at('client-secret'), 'utf8'),
      originSecret: readFileSync(at('origin-secret'), 'utf8'),
      originCertificate: {
        cert: readFileSync(at('origin.pem'), 'utf8'),
        key: readFileSync(at('origin-key.pem'), 'utf8'),
      },
    }
  } catch (cause) {
    if (cause instanceof StartError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StartError(`the folder ${folder} cannot be prepared: ${reason}`, cause)
  }
}

function makeCertificates(at: (name: string) => string): void {
  once(at('ca.pem'), () => {
    const authority = makeAuthority({ name: 'ssec-proxy quickstart CA' })
    write(at('ca-key.pem'), authority.key)
    for (const name of ['proxy', 'origin']) {
      const leaf = issueCertificate(authority, { hosts: HOSTS, days: YEAR_DAYS })
      write(at(`${name}.pem`), leaf.cert)
      write(at(`${name}-key.pem`), leaf.key)
    }
    return authority.cert
  })
}

function makeKeyring(file: string, io: CliIo): void {
  if (existsSync(file)) return
  const said: string[] = []
  const quiet: CliIo = { ...io, stdout: () => undefined, stderr: (text) => said.push(text) }
  const code = keysGenerate({ file, name: 'quickstart', type: 'derived', id: undefined }, quiet)
  if (code !== 0) throw new StartError(said.join('').trim())
}

function once(file: string, make: () => string): void {
  if (!existsSync(file)) write(file, make())
}

function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 })
  chmodSync(file, 0o600)
}

function configuration(ports: QuickstartPorts): string {
  return `# Made by the quickstart, anew at each run. A copy of it is a start for a configuration of your own.
listeners:
  - https:
      host: 127.0.0.1
      port: ${ports.proxy}
      cert: proxy.pem
      key: proxy-key.pem
baseDomains: [s3.localhost]
upstream:
  endpoint: https://localhost:${ports.origin}
  region: ${REGION}
  ca: ca.pem
  credentials:
    accessKeyId: ${ORIGIN_ACCESS_KEY_ID}
    secretAccessKey: { file: origin-secret }
identities:
  - name: quickstart
    accessKeyId: ${CLIENT_ACCESS_KEY_ID}
    secretAccessKey: { file: client-secret }
    grants:
      - bucket: ${BUCKET}
        permissions: [read, write, delete, list, manage]
keyrings:
  - name: quickstart
    type: derived
    file: keyring.json
rules:
  - bucket: ${BUCKET}
    keyring: quickstart
log:
  level: warn
`
}
