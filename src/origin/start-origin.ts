import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { noFaults, type Faults } from './faults.js'
import { handle } from './handle.js'
import { inspectObjects, type StoredObject } from './inspect.js'
import type { Credentials, EncryptionType, State } from './model.js'
import { newBucket } from './operations/buckets.js'

export interface OriginOptions {
  /** PEM: the chain and its key. */
  readonly certificate: string
  readonly key: string
  readonly credentials: readonly Credentials[]
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0, any free port. */
  readonly port?: number
  /** A second, plain listener, to see what S3 says of customer keys there. Default none. */
  readonly plainPort?: number
  /** Of requests without a bucket, and of new buckets. Default us-east-1. */
  readonly region?: string
  /** Buckets that exist from the start, by name alone or with a region of their own. */
  readonly buckets?: readonly (string | { readonly name: string; readonly region: string })[]
  /** Names whose subdomains are buckets. Default localhost and s3.localhost. */
  readonly baseDomains?: readonly string[]
  /** Bytes; default 5 MiB, as S3 has it. */
  readonly minimumPartSize?: number
  /** What AWS does since April 2026 is `['SSE-C']`. Default none. */
  readonly blockedOnNewBuckets?: readonly EncryptionType[]
  readonly faults?: Partial<Faults>
  /** Default the machine's clock. */
  readonly now?: () => Date
}

export interface Origin {
  readonly port: number
  /** `https://127.0.0.1:port` */
  readonly endpoint: string
  /** Of the plain listener, 0 where there is none. */
  readonly plainPort: number
  /** To be changed at any time; `resetFaults` sets the defaults again. */
  readonly faults: Faults
  resetFaults(): void
  /** What is at rest, in every version. */
  objects(bucket?: string): readonly StoredObject[]
  /** Uploads that are neither completed nor aborted. */
  uploads(bucket?: string): readonly { bucket: string; objectKey: string; uploadId: string; parts: number }[]
  addBucket(name: string, region?: string): void
  setBlockedEncryptionTypes(bucket: string, types: readonly EncryptionType[]): void
  setVersioning(bucket: string, status: 'Enabled' | 'Suspended'): void
  /** Resolves when every request that has arrived is answered or broken off. */
  idle(): Promise<void>
  /** Stops listening and breaks what is open. */
  close(): Promise<void>
}

/** Starts an S3 server that keeps everything in memory, over TLS. Rejects where the port is taken. */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const faults = { ...noFaults(), ...options.faults }
  const state: State = {
    buckets: new Map(),
    credentials: new Map(options.credentials.map((credentials) => [credentials.accessKeyId, credentials])),
    region: options.region ?? 'us-east-1',
    baseDomains: options.baseDomains ?? ['s3.localhost', 'localhost'],
    minimumPartSize: options.minimumPartSize ?? 5 * 1024 * 1024,
    blockedOnNewBuckets: options.blockedOnNewBuckets ?? [],
    faults,
    now: options.now ?? (() => new Date()),
  }
  const addBucket = (name: string, region = state.region): void => {
    state.buckets.set(name, newBucket(state, name, region))
  }
  for (const bucket of options.buckets ?? []) {
    if (typeof bucket === 'string') addBucket(bucket)
    else addBucket(bucket.name, bucket.region)
  }
  const running = new Set<Promise<void>>()
  const host = options.host ?? '127.0.0.1'
  const tls = createHttpsServer({
    cert: options.certificate,
    key: options.key,
    minVersion: 'TLSv1.2',
    keepAliveTimeout: 60_000,
  })
  const port = await listen(serve(tls, state, true, running), options.port ?? 0, host)
  const plain = options.plainPort === undefined ? undefined : createHttpServer()
  const plainPort =
    plain === undefined ? 0 : await listen(serve(plain, state, false, running), options.plainPort ?? 0, host)

  const existing = (name: string) => {
    const bucket = state.buckets.get(name)
    if (bucket === undefined) throw new Error(`the origin has no bucket ${name}`)
    return bucket
  }
  return {
    port,
    plainPort,
    endpoint: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    faults,
    resetFaults: () => void Object.assign(faults, noFaults()),
    objects: (bucket) => inspectObjects(state, bucket),
    uploads: (bucket) =>
      [...state.buckets.values()]
        .filter(({ name }) => bucket === undefined || name === bucket)
        .flatMap(({ name, uploads }) =>
          [...uploads.values()].map(({ objectKey, uploadId, parts }) => ({
            bucket: name,
            objectKey,
            uploadId,
            parts: parts.size,
          })),
        ),
    addBucket,
    setBlockedEncryptionTypes: (bucket, types) => void (existing(bucket).blocked = types),
    setVersioning: (bucket, status) => void (existing(bucket).versioning = status),
    idle: async () => {
      while (running.size > 0) await Promise.all(running)
    },
    close: async () => {
      await Promise.all([tls, ...(plain === undefined ? [] : [plain])].map(close))
    },
  }
}

type HttpServer = ReturnType<typeof createHttpServer> | ReturnType<typeof createHttpsServer>

function serve(server: HttpServer, state: State, secure: boolean, running: Set<Promise<void>>): HttpServer {
  const listener = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const handled = handle(state, request, response, { secure, expectsContinue }).finally(() => running.delete(handled))
    running.add(handled)
  }
  // the longest request is as long as a test makes it
  server.requestTimeout = 0
  server.on('request', listener(false)).on('checkContinue', listener(true))
  return server
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function close(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
