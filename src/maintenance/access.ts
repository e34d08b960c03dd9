import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Readable } from 'node:stream'
import type { Config, UpstreamConfig } from '../config/types.js'
import type { Keyring } from '../keyring/port.js'
import { compileRules, type CompiledRules } from '../keyring/select.js'
import type { Fields } from '../s3/fields.js'
import type { Query } from '../s3/query.js'
import type { Target } from '../s3/target.js'
import { signRequest } from '../sigv4/sign.js'
import type { AwsCredentials } from '../sigv4/types.js'
import { endpointFor, upstreamPath } from '../upstream/address.js'
import { credentialSource } from '../upstream/credentials.js'
import { httpProxyTransport } from '../upstream/http-proxy-transport.js'
import { regionDirectory, regionFromAnswer } from '../upstream/regions.js'
import { regionToUse } from '../upstream/region-to-use.js'
import type { CredentialSource, RegionDirectory, Transport, UpstreamResponse } from '../upstream/types.js'
import { MaintenanceError } from './error.js'
import { HASTY_ATTEMPTS, PATIENT_ATTEMPTS, retried, type RetryWorld } from './retry.js'

/** One request of a command to the upstream. Its body, where it has one, is small and can be sent again. */
export interface MaintenanceRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly target: Target
  readonly query: Query
  /** Without host, date and authorization; x-amz-content-sha256 only where it is not the body's hash. Lower-case names, byte strings. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | 'none'
}

/** An answer that was read to its end. */
export interface MaintenanceAnswer {
  readonly status: number
  readonly fields: Fields
  readonly body: Buffer
  /** The code of an error document, inside a 200 too; `none` where there is none. */
  readonly code: string
}

/** What commands that look after stored objects know of the upstream. */
export interface UpstreamAccess {
  readonly rules: CompiledRules
  readonly proof: UpstreamConfig['proof']
  /**
   * Sends with the proxy's own credentials, over verified TLS. Connection losses, throttling and 5xx are tried again
   * with growing pauses; every other answer is given as it is.
   *
   * @throws MaintenanceError where there was no answer to the end
   */
  send(request: MaintenanceRequest): Promise<MaintenanceAnswer>
  /** requests sent since the start, repeated ones included */
  sent(): number
  close(): Promise<void>
}

/** What a command gives of the world outside. */
export interface MaintenanceWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly readFile: (file: string) => string
  readonly warn: (message: string) => void
  /** Whether somebody waits for the answer: an upstream that is away is then given up soon. */
  readonly isHasty?: boolean
}

/**
 * Opens the upstream of a configuration for commands, with the proxy's transport, credentials and rules.
 *
 * @throws MaintenanceError that names what is wrong
 */
export function openUpstreamAccess(
  config: Pick<Config, 'rules' | 'upstream'>,
  keyrings: readonly Keyring[],
  world: MaintenanceWorld,
): UpstreamAccess {
  const compiled = compileRules(config.rules, keyrings)
  if (compiled.type === 'problems') {
    throw new MaintenanceError(compiled.problems.map(({ path, message }) => `${path}: ${message}`).join('; '))
  }
  const { upstream } = config
  return { rules: compiled.rules, proof: upstream.proof, ...openSender(upstream, world) }
}

/**
 * The same where no object's key is asked for, and so no rule.
 *
 * @throws MaintenanceError that names what is wrong
 */
export function openSender(
  upstream: UpstreamConfig,
  world: MaintenanceWorld,
): Pick<UpstreamAccess, 'send' | 'sent' | 'close'> {
  const { transport, close } = openTransport(upstream, world)
  const credentials = credentialSource(upstream.credentials, { now: world.now, warn: world.warn })
  const parts = { upstream, transport, credentials, regions: regionDirectory(upstream), now: world.now }
  const { send, sent } = sender(parts, {
    sleep: (ms) => delay(ms),
    random: Math.random,
    attempts: world.isHasty === true ? HASTY_ATTEMPTS : PATIENT_ATTEMPTS,
  })
  return { send, sent, close }
}

function openTransport(upstream: UpstreamConfig, { env, readFile }: MaintenanceWorld) {
  try {
    const ca = upstream.ca.type === 'system' ? 'system' : readFile(upstream.ca.file)
    return httpProxyTransport({ ...upstream, ca, environment: env })
  } catch (cause) {
    throw new MaintenanceError(`upstream: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

export interface SenderParts {
  readonly upstream: Pick<UpstreamConfig, 'endpoint' | 'addressing' | 'region'>
  readonly transport: Transport
  readonly credentials: CredentialSource
  readonly regions: RegionDirectory
  readonly now: () => Date
}

/** The two ends of an access that speak with the upstream. */
export function sender(parts: SenderParts, world: RetryWorld): Pick<UpstreamAccess, 'send' | 'sent'> {
  let sent = 0
  const once = async (request: MaintenanceRequest, region: string): Promise<MaintenanceAnswer> => {
    sent += 1
    return readAnswer(await parts.transport(await signed(request, region, parts), NEVER))
  }
  const inRegion = async (request: MaintenanceRequest): Promise<MaintenanceAnswer> => {
    const { target } = request
    const used = regionToUse(target, parts)
    const answer = await once(request, used)
    if (parts.upstream.region.type === 'fixed' || target.type === 'service') return answer
    const actual = regionFromAnswer(answer.status, answer.fields, answer.body.toString('utf8'))
    if (actual === 'unknown' || actual === used) {
      if (answer.status < 300) parts.regions.learn(target.bucket, used)
      return answer
    }
    parts.regions.learn(target.bucket, actual)
    return once(request, actual)
  }
  return { send: (request) => retried(() => inRegion(request), world), sent: () => sent }
}

async function signed(request: MaintenanceRequest, region: string, parts: SenderParts) {
  const { method, target, query, body } = request
  const bytes = body === 'none' ? Buffer.alloc(0) : body
  const endpoint = endpointFor(parts.upstream, region, target.type === 'service' ? 'service' : target.bucket)
  const { path, headers } = signRequest({
    method,
    path: upstreamPath(target, endpoint.bucketInHost),
    query,
    headers: {
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
      ...request.headers,
      host: endpoint.hostHeader,
      ...(body === 'none' ? {} : { 'content-length': String(body.length) }),
    },
    credentials: await credentialsOf(parts),
    region,
    now: parts.now(),
  })
  const stream =
    body === 'none'
      ? ({ type: 'none' } as const)
      : ({ type: 'stream', stream: Readable.from([body], { objectMode: false }) } as const)
  return { method, hostname: endpoint.hostname, port: endpoint.port, path, headers, body: stream }
}

async function credentialsOf(parts: SenderParts): Promise<AwsCredentials> {
  try {
    return await parts.credentials()
  } catch (cause) {
    throw new MaintenanceError('there are no credentials for the upstream; check upstream.credentials', { cause })
  }
}

/** A list of 1000 names of 1024 bytes, each of them escaped three times as long, is below 4 MiB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

async function readAnswer({ status, fields, body }: UpstreamResponse): Promise<MaintenanceAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body.stream()) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size > MAX_ANSWER_BYTES) throw new MaintenanceError('the upstream sent an answer of more than 16 MiB')
  }
  const bytes = Buffer.concat(chunks)
  const text = bytes.subarray(0, 4096).toString('utf8')
  const code = text.includes('<Error>') ? /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] : undefined
  return { status, fields, body: bytes, code: code ?? 'none' }
}

/** Commands let a request that runs come to its end: it may have changed something. */
const NEVER = new AbortController().signal
// As many requests listen to it as run at a time; Node would warn of them.
setMaxListeners(0, NEVER)
