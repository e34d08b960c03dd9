import { Agent } from 'node:https'
import { DecryptCommand, EncryptCommand, GenerateMacCommand, KMSClient } from '@aws-sdk/client-kms'
import { kmsFailure } from './kms-failure.js'
import type { Kms, KmsAnswer } from './kms-port.js'

/** Where KMS is and who asks it. */
export interface KmsConnection {
  readonly region: string
  /** https always; data keys come back over it. */
  readonly endpoint: { readonly hostname: string; readonly port: number }
  /** PEM of the only CAs to trust, or the system's. */
  readonly ca: string | 'system'
  /** For one call, from its start to the last byte of its answer. */
  readonly timeoutMs: number
  readonly maxSockets: number
  readonly credentials: () => Promise<{
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }>
}

export interface OpenKms extends Kms {
  /** Ends its connections and the calls that run. */
  readonly close: () => void
}

/**
 * AWS KMS, or a server that speaks its protocol, through the AWS SDK's client. Everything that the SDK would take from
 * the environment (endpoint, retries, FIPS and dual-stack switches) is given here. Redirects are not followed, and
 * proxies of the environment are not used.
 */
export function openKms(connection: KmsConnection): OpenKms {
  const { region, endpoint, ca, timeoutMs, maxSockets } = connection
  const agent = new Agent({
    keepAlive: true,
    maxSockets,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca === 'system' ? {} : { ca }),
  })
  const host = endpoint.hostname.includes(':') ? `[${endpoint.hostname}]` : endpoint.hostname
  const client = new KMSClient({
    region,
    endpoint: `https://${host}:${endpoint.port}`,
    credentials: connection.credentials,
    maxAttempts: 1,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    defaultsMode: 'standard',
    requestHandler: { httpsAgent: agent, requestTimeout: timeoutMs, connectionTimeout: timeoutMs },
  })
  const closed = new AbortController()
  const call = (run: (signal: AbortSignal) => Promise<KmsAnswer>) => within(timeoutMs, closed.signal, run)
  return {
    encrypt: (kmsKeyId, plaintext, context) =>
      call(async (abortSignal) => {
        const command = new EncryptCommand({ KeyId: kmsKeyId, Plaintext: plaintext, EncryptionContext: { ...context } })
        const { CiphertextBlob, KeyId } = await client.send(command, { abortSignal })
        return answer(CiphertextBlob, KeyId, kmsKeyId)
      }),
    decrypt: (kmsKeyId, ciphertext, context) =>
      call(async (abortSignal) => {
        const command = new DecryptCommand({
          KeyId: kmsKeyId,
          CiphertextBlob: ciphertext,
          EncryptionContext: { ...context },
        })
        const { Plaintext, KeyId } = await client.send(command, { abortSignal })
        return answer(Plaintext, KeyId, kmsKeyId)
      }),
    generateMac: (kmsKeyId, message) =>
      call(async (abortSignal) => {
        const command = new GenerateMacCommand({ KeyId: kmsKeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256' })
        const { Mac, KeyId } = await client.send(command, { abortSignal })
        return answer(Mac, KeyId, kmsKeyId)
      }),
    close: () => {
      closed.abort()
      client.destroy()
      agent.destroy()
    },
  }
}

function answer(bytes: Uint8Array | undefined, usedKeyId: string | undefined, kmsKeyId: string): KmsAnswer {
  if (bytes === undefined) return { type: 'away', reason: 'the answer has no result in it' }
  const copy = Buffer.from(bytes)
  bytes.fill(0)
  return { type: 'bytes', bytes: copy, kmsKeyId: usedKeyId ?? kmsKeyId }
}

/** The SDK's own timeouts start over with each byte and do not count the wait for credentials. */
async function within(
  ms: number,
  closed: AbortSignal,
  run: (signal: AbortSignal) => Promise<KmsAnswer>,
): Promise<KmsAnswer> {
  const abort = new AbortController()
  let give: (answer: KmsAnswer) => void = () => undefined
  const late = new Promise<KmsAnswer>((resolve) => (give = resolve))
  const end = (reason: string) => {
    abort.abort()
    give({ type: 'away', reason })
  }
  const timer = setTimeout(() => end(`no answer within ${ms} ms`), ms)
  const close = () => end('the connection to KMS was closed')
  if (closed.aborted) close()
  closed.addEventListener('abort', close)
  try {
    return await Promise.race([run(abort.signal).catch(kmsFailure), late])
  } finally {
    clearTimeout(timer)
    closed.removeEventListener('abort', close)
  }
}
