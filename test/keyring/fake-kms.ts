import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { KmsConfig } from '../../src/config/types.js'
import type { Kms, KmsAnswer, KmsFailure } from '../../src/keyring/kms-port.js'
import type { KeyringEvent, KmsWorld } from '../../src/keyring/kms-world.js'
import { bytesOf } from './material.js'

/** A KMS in memory, with keys by label, a clock that tests move, and faults that they choose. */
export interface FakeKms extends KmsWorld {
  readonly kms: Kms
  /** Every call so far, as `Decrypt alias/one`. */
  readonly calls: string[]
  readonly events: KeyringEvent[]
  /** What calls get from now on in place of an answer. */
  fault: KmsFailure | 'none'
  /** What every Decrypt gives from now on in place of the right bytes. */
  decrypted: Buffer | 'right'
  /** Where aliases point to. */
  readonly aliases: Map<string, string>
  /** milliseconds */
  pass(ms: number): void
  /** Lets what waits go on. */
  readonly hold: { now: Promise<void> }
}

export const KMS: KmsConfig = {
  region: 'eu-central-1',
  endpoint: { hostname: 'kms.example.com', port: 443 },
  ca: { type: 'system' },
  credentials: { type: 'default' },
  timeoutMs: 2000,
  startTimeoutMs: 60_000,
  ttlMs: 3_600_000,
  staleMs: 7_200_000,
  cachedObjects: 1000,
}

export const AWAY: KmsFailure = { type: 'away', reason: 'ECONNREFUSED' }
export const THROTTLED: KmsFailure = { type: 'throttled', reason: 'ThrottlingException' }
export const DENIED: KmsFailure = { type: 'denied', reason: 'AccessDeniedException' }

const keyOf = (kmsKeyId: string) => bytesOf(`kms ${kmsKeyId}`)
const contextOf = (context: object) => JSON.stringify(Object.entries(context).sort())

/** What KMS makes of a key; needs no KMS at hand. */
export function wrapped(kmsKeyId: string, plaintext: Buffer, context: object): Buffer {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(kmsKeyId), iv).setAAD(Buffer.from(contextOf(context)))
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function unwrapped(kmsKeyId: string, blob: Buffer, context: object): Buffer | 'wrong' {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(kmsKeyId), blob.subarray(0, 12))
  decipher.setAAD(Buffer.from(contextOf(context))).setAuthTag(blob.subarray(-16))
  try {
    return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()])
  } catch {
    return 'wrong'
  }
}

export const macKeyOf = keyOf
export const mac = (kmsKeyId: string, message: Buffer | string) =>
  createHmac('sha256', keyOf(kmsKeyId)).update(message).digest()

export function fakeKms(): FakeKms {
  let now = 1_000_000
  const calls: string[] = []
  const events: KeyringEvent[] = []
  const aliases = new Map<string, string>()
  const hold = { now: Promise.resolve() }
  const fake: FakeKms = {
    kms: {
      encrypt: (id, plaintext, context) =>
        call('Encrypt', id, (key) => ({ type: 'bytes', bytes: wrapped(key, plaintext, context), kmsKeyId: key })),
      decrypt: (id, ciphertext, context) =>
        call('Decrypt', id, (key) => {
          const right = unwrapped(key, ciphertext, context)
          const bytes = fake.decrypted === 'right' ? right : Buffer.from(fake.decrypted)
          return bytes === 'wrong'
            ? { type: 'denied', reason: 'InvalidCiphertextException' }
            : { type: 'bytes', bytes, kmsKeyId: key }
        }),
      generateMac: (id, message) =>
        call('GenerateMac', id, (key) => ({ type: 'bytes', bytes: mac(key, message), kmsKeyId: key })),
    },
    calls,
    events,
    fault: 'none',
    decrypted: 'right',
    aliases,
    hold,
    pass: (ms) => (now += ms),
    connect: () => fake.kms,
    monotonic: () => now,
    random: () => 0.5,
    sleep: (ms) => {
      now += ms
      return Promise.resolve()
    },
    observe: (event) => events.push(event),
  }
  const call = async (operation: string, id: string, answer: (key: string) => KmsAnswer): Promise<KmsAnswer> => {
    calls.push(`${operation} ${id}`)
    await hold.now
    if (fake.fault !== 'none') return fake.fault
    return answer(aliases.get(id) ?? id)
  }
  return fake
}

/** One version of a keyring file as KMS wrapped it. */
export const writtenWrapped = (keyring: string, id: string, state: string, created = '2026-01-01T00:00:00Z') => ({
  id,
  state,
  created,
  wrappedKey: wrapped('alias/one', bytesOf(id), {
    'ssec-proxy:keyring': keyring,
    'ssec-proxy:key-version': id,
  }).toString('base64'),
  kmsKeyId: 'alias/one',
  check: createHmac('sha256', bytesOf(id)).update('ssec-proxy/check/v1').digest('hex').slice(0, 16),
})

export const writtenMac = (kmsKeyId: string, id: string, state: string, created = '2026-01-01T00:00:00Z') => ({
  id,
  state,
  created,
  kmsKeyId,
  check: mac(kmsKeyId, 'ssec-proxy/check/v1').toString('hex').slice(0, 16),
})
