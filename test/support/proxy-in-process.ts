import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type {
  Config,
  Grant,
  ListenerConfig,
  RuleConfig,
  SignatureVersion,
  UpstreamConfig,
} from '../../src/config/types.js'
import { auditLine } from '../../src/telemetry/audit-line.js'
import { compose } from '../../src/compose.js'
import type { Keyring } from '../../src/keyring/port.js'
import type { RequestEvent } from '../../src/proxy/event.js'
import { requestHandler } from '../../src/proxy/handle-request.js'
import { SERVER_TIMES, startListeners } from '../../src/server.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { createLogger } from '../../src/telemetry/logger.js'
import type { Transport } from '../../src/upstream/types.js'
import { httpProxyTransport } from '../../src/upstream/http-proxy-transport.js'
import { derivedKeyring } from '../../src/keyring/derived.js'
import { keyFromBytes } from '../../src/keyring/key-bytes.js'
import { auditFaults } from './audit-schema.js'
import { testCertificates } from './certificates.js'
import { TEST_PASS } from './pass.js'
import { registerSecret } from './record.js'

/** Where the proxy of a test sends its requests: any S3 over TLS. */
export interface TestUpstream {
  /** default localhost */
  readonly host?: string
  readonly port: number
  /** PEM of the CA that its certificate comes from. */
  readonly ca: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

export const CLIENT = {
  accessKeyId: 'AKIACLIENTTEST000000',
  secretAccessKey: 'client-test-secret/not+real/000000000000',
}
export const READER = {
  accessKeyId: 'AKIAREADERTEST000000',
  secretAccessKey: 'reader-test-secret/not+real/000000000000',
}

export interface TestProxyOptions {
  readonly upstream: TestUpstream
  readonly rules?: readonly RuleConfig[]
  readonly keyrings?: readonly Keyring[]
  readonly overrides?: Partial<UpstreamConfig>
  readonly readerGrants?: readonly Grant[]
  /** Of both clients; default v4 alone. */
  readonly signatures?: readonly SignatureVersion[]
  /** Default Infinity. */
  readonly presignedV2LifetimeMs?: number
  /** In place of the upstream. */
  readonly transport?: Transport
}

export interface TestProxy {
  readonly port: number
  /** Plain http on loopback; requests without a signature are the identity `local` there. */
  readonly plainPort: number
  readonly events: readonly RequestEvent[]
  /** The last event, when no request runs any more: events come after the answers. */
  readonly lastEvent: () => Promise<RequestEvent | undefined>
  readonly logged: () => string
  close(): Promise<void>
}

/** A keyring with the given version ids, the last one active. The key bytes are random. */
export function testKeyring(name: string, ...ids: readonly string[]): Keyring {
  return keyringOf(name, ids, new Map(ids.map((id) => [id, randomBytes(32)])))
}

/** A keyring over given master keys; the last id is active. */
export function keyringOf(name: string, ids: readonly string[], bytes: ReadonlyMap<string, Buffer>): Keyring {
  const versions = ids.map((id, i) => {
    registerSecret(`master key ${name} ${id}`, bytes.get(id)!)
    const made = keyFromBytes(bytes.get(id)!)
    if (made.type === 'refused') throw new Error(made.message)
    const state = i === ids.length - 1 ? ('active' as const) : ('readable' as const)
    return {
      type: 'plain' as const,
      id,
      state,
      created: `2026-01-${String(i + 1).padStart(2, '0')}T00:00:00.000Z`,
      key: made.key,
    }
  })
  return derivedKeyring(name, versions, () => new Date())
}

export const encryptedRule = (bucket: string, keyring: string, more: object = {}): RuleConfig => ({
  bucket,
  prefix: '',
  keys: {
    type: 'encrypted',
    keyring,
    alsoRead: [],
    bucketIdentity: 'bucket',
    plaintext: 'deny',
    clientKeys: 'reject',
    clientEncryption: 'drop',
    ...more,
  },
  etag: 'opaque',
})

/** The whole proxy in this process, on free ports of 127.0.0.1; closed at the end of the test. */
export async function startTestProxy(t: Test, options: TestProxyOptions): Promise<TestProxy> {
  const { upstream } = options
  for (const { accessKeyId, secretAccessKey } of [CLIENT, READER, upstream])
    registerSecret(accessKeyId, secretAccessKey)
  const { leaf } = testCertificates()
  const directory = mkdtempSync(join(tmpdir(), 'ssec-proxy-test-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const all: Grant = { bucket: '*', prefixes: [''], permissions: ['read', 'write', 'delete', 'list', 'manage'] }
  const identity = (name: string, keys: typeof CLIENT, grants: readonly Grant[]) => ({
    name,
    class: 'default',
    authentication: {
      type: 'access-key' as const,
      accessKeyId: keys.accessKeyId,
      secretAccessKey: new SecretAccessKey(keys.secretAccessKey),
      signatures: options.signatures ?? (['v4'] as const),
      presignedV2LifetimeMs: options.presignedV2LifetimeMs ?? Infinity,
    },
    grants,
    upstreamCredentials: 'shared' as const,
  })
  const listeners: ListenerConfig[] = [
    {
      type: 'https',
      host: '127.0.0.1',
      port: 0,
      tls: { certFile: file('cert.pem', leaf.cert), keyFile: file('key.pem', leaf.key) },
      clientCa: { type: 'none' },
    },
    { type: 'http', host: '127.0.0.1', port: 0, anonymous: 'local' },
  ]
  const config: Config = {
    listeners,
    baseDomains: ['s3.localhost'],
    clientRegions: [],
    upstream: {
      endpoint: { hostname: upstream.host ?? 'localhost', port: upstream.port },
      region: { type: 'fixed', region: upstream.region },
      addressing: 'path',
      ca: { type: 'system' },
      credentials: {
        type: 'static',
        accessKeyId: upstream.accessKeyId,
        secretAccessKey: new SecretAccessKey(upstream.secretAccessKey),
        sessionToken: 'none',
      },
      trailingChecksums: 'relay',
      preflight: 'off',
      pass: TEST_PASS,
      proof: 'answer',
      connectTimeoutMs: 5_000,
      idleTimeoutMs: 20_000,
      maxSockets: 64,
      keepAliveMs: 2_000,
      ...options.overrides,
    },
    identities: [
      identity('client', CLIENT, [all]),
      identity('reader', READER, options.readerGrants ?? [{ ...all, permissions: ['read'] }]),
      {
        name: 'local',
        class: 'anonymous',
        authentication: { type: 'anonymous' },
        grants: [all],
        upstreamCredentials: 'shared',
      },
    ],
    keyrings: [],
    rules: options.rules ?? [encryptedRule('*', 'main')],
    admin: { type: 'off' },
    log: { level: 'debug', objectKeys: 'clear' },
    audit: { type: 'off' },
    tracing: { type: 'off' },
    workers: 1,
    rememberedObjects: 1_000,
    timeouts: { headersMs: 10_000, clientIdleMs: 20_000, keepAliveMs: 5_000, drainMs: 2_000 },
  }
  const auditProblems: string[] = []
  const lines: string[] = []
  const events: RequestEvent[] = []
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const transport = httpProxyTransport({ ...config.upstream, ca: upstream.ca, environment: {} })
  const composed = compose(config, options.keyrings ?? [testKeyring('main', 'v1')], {
    now: () => new Date(),
    monotonic: () => performance.now(),
    randomBytes: (size) => randomBytes(size),
    transport: options.transport ?? transport.transport,
    observe: (event) => {
      events.push(event)
      const line = auditLine(event, 'clear', new Date())
      auditProblems.push(...auditFaults(line).map((fault) => `${fault} in ${line}`))
      lines.push(line)
      lines.push(JSON.stringify(event))
    },
    warn: (message, detail) => log.warn(detail, message),
  })
  if (composed.type === 'problems') throw new Error(JSON.stringify(composed.problems))
  const running = await startListeners({
    listeners,
    timeouts: config.timeouts,
    times: { ...SERVER_TIMES, lingerMs: 1_000 },
    handler: requestHandler(() => composed.pipeline),
    log,
    observe: composed.pipeline.observe,
    outOfOrder: () => 'none',
    onBytes: () => undefined,
    onCertificate: () => undefined,
    onCertificateReload: () => undefined,
  })
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await running.close({ timeoutMs: 500 })
    await transport.close()
    rmSync(directory, { recursive: true, force: true })
    // Every request of every test behind this proxy is a line of an audit log that is as its schema says.
    if (auditProblems.length > 0) throw new Error(`audit lines: ${auditProblems.join('\n')}`)
  }
  t.teardown(close)
  const port = (index: number) => Number(running.addresses[index]!.address.split(':').at(-1))
  const lastEvent = async () => {
    for (let i = 0; i < 200 && running.inFlight() > 0; i += 1) await delay(10)
    return events.at(-1)
  }
  return { port: port(0), plainPort: port(1), events, lastEvent, logged: () => lines.join('\n'), close }
}
