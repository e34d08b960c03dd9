import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { KmsConnection, OpenKms } from './keyring/kms.js'
import type { KeyringEvent, KmsWorld } from './keyring/kms-world.js'
import { kmsFailure } from './keyring/kms-failure.js'
import type { KmsConfig } from './config/types.js'
import { credentialSource } from './upstream/credentials.js'

/** KMS for the keyrings of one process, and what they tell of it. */
export interface KmsOfProcess extends KmsWorld {
  /** From now on; what was told before comes first. */
  readonly listen: (hear: (event: KeyringEvent) => void) => void
  /** Ends its calls, pauses and connections. Nobody gets a key any more. */
  readonly close: () => void
}

/** Calls of one process that run at the same time, to one keyring's KMS; further ones wait. */
const MAX_SOCKETS = 64
/** What is kept until somebody listens: more than a start tells. */
const MOST_WAITING = 10_000

/** Keyrings' KMS as the configuration says, over the SDK, with real time. */
export function kmsOverSdk(world: {
  readonly now: () => Date
  readonly randomBytes: (size: number) => Buffer
}): KmsOfProcess {
  const waiting: KeyringEvent[] = []
  // One for each keyring, however often its file changes: connections and credentials are kept.
  const connected = new Map<KmsConfig, OpenKms>()
  const ended = new AbortController()
  let hear = (event: KeyringEvent) => {
    if (waiting.length < MOST_WAITING) waiting.push(event)
  }
  return {
    connect: (config) => {
      const known = connected.get(config) ?? connect(config, world.now)
      connected.set(config, known)
      return known
    },
    monotonic: () => performance.now(),
    random: () => world.randomBytes(4).readUInt32BE() / 2 ** 32,
    // A pause must not hold up the end of the process, and whoever waits in it has nothing to go on with.
    sleep: (ms) => delay(ms, undefined, { signal: ended.signal }),
    observe: (event) => hear(event),
    listen: (listener) => {
      hear = listener
      for (const event of waiting.splice(0)) listener(event)
    },
    close: () => {
      ended.abort()
      for (const kms of connected.values()) kms.close()
    },
  }
}

function connect(config: KmsConfig, now: () => Date): OpenKms {
  const source = credentialSource(config.credentials, { now, warn: () => undefined })
  const credentials = async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await source()
    return {
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === 'none' ? {} : { sessionToken: sessionToken.reveal() }),
    }
  }
  // Loaded where a keyring is in KMS: most processes have no need of the SDK, at their start or in memory.
  const opened = open(config, credentials).catch((cause: unknown): OpenKms => {
    // It was there when the configuration was read; what is wrong with it is told where a key is asked for.
    const failure = { ...kmsFailure(cause), type: 'away' } as const
    const fail = () => Promise.resolve(failure)
    return { encrypt: fail, decrypt: fail, generateMac: fail, close: () => undefined }
  })
  return {
    encrypt: async (...asked) => (await opened).encrypt(...asked),
    decrypt: async (...asked) => (await opened).decrypt(...asked),
    generateMac: async (...asked) => (await opened).generateMac(...asked),
    close: () => void opened.then((kms) => kms.close()),
  }
}

async function open(config: KmsConfig, credentials: KmsConnection['credentials']): Promise<OpenKms> {
  const ca = config.ca.type === 'system' ? 'system' : readFileSync(config.ca.file, 'utf8')
  const { openKms } = await import('./keyring/kms.js')
  return openKms({ ...config, ca, credentials, maxSockets: MAX_SOCKETS })
}
