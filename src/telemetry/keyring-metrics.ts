import type { KeyringEvent } from '../keyring/kms-world.js'
import { type MetricRegistry, seconds } from './metric-registry.js'

export interface KeyVersionInfo {
  readonly keyring: string
  readonly keyVersion: string
  readonly active: boolean
  /** When it was made; `unknown` where the keyring file does not say. */
  readonly created: Date | 'unknown'
}

export interface KeyringMetrics {
  /** Asked at each look at the metrics: which key version is active is also a matter of time. */
  readonly keyVersions: (ask: () => readonly KeyVersionInfo[]) => void
  /** What keyrings in KMS tell. */
  readonly keyringEvent: (event: KeyringEvent) => void
  /** What became of a keyring file that changed. */
  readonly keyringReload: (keyring: string, result: 'accepted' | 'refused' | 'restored') => void
}

const MOST_KEY_VERSIONS = 500
const KMS_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

export function keyringMetrics(registry: MetricRegistry): KeyringMetrics {
  let ask: () => readonly KeyVersionInfo[] = () => []
  const known = () => ask().slice(0, MOST_KEY_VERSIONS)
  registry.asked(
    {
      name: 'key_version_info',
      help: 'Key versions that are loaded; the active one is used for writes',
      labels: ['keyring', 'key_version', 'active'],
      across: 'max',
    },
    () =>
      known().map(({ keyring, keyVersion, active }) => [{ keyring, key_version: keyVersion, active: `${active}` }, 1]),
  )
  registry.asked(
    {
      name: 'key_version_created_seconds',
      help: 'When the key version was made, seconds since 1970',
      labels: ['keyring', 'key_version'],
      across: 'max',
    },
    () =>
      known().flatMap(({ keyring, keyVersion, created }) =>
        created === 'unknown' ? [] : [[{ keyring, key_version: keyVersion }, created.getTime() / 1000] as const],
      ),
  )
  const reloads = registry.counter({
    name: 'keyring_reloads_total',
    help: 'Changed keyring files, by what became of them',
    labels: ['keyring', 'result'],
  })
  const failed = new Map<string, 0 | 1>()
  registry.asked(
    {
      name: 'keyring_reload_failed',
      help: '1 while the keyring file is refused and an older keyring is in use',
      labels: ['keyring'],
      across: 'max',
    },
    () => [...failed].map(([keyring, value]) => [{ keyring }, value]),
  )
  return {
    keyVersions: (given) => {
      ask = given
      const before = new Map(failed)
      failed.clear()
      for (const { keyring } of given()) failed.set(keyring, before.get(keyring) ?? 0)
    },
    keyringReload: (keyring, result) => {
      failed.set(keyring, result === 'refused' ? 1 : 0)
      if (result !== 'restored') reloads({ keyring, result })
    },
    keyringEvent: kmsMetrics(registry),
  }
}

function kmsMetrics(registry: MetricRegistry): KeyringMetrics['keyringEvent'] {
  const calls = registry.counter({
    name: 'kms_calls_total',
    help: 'Calls of KMS that are over',
    labels: ['keyring', 'operation', 'outcome'],
  })
  const took = registry.histogram({
    name: 'kms_call_seconds',
    help: 'One call of KMS',
    buckets: KMS_BUCKETS,
    labels: ['operation'],
  })
  const lookUps = registry.counter({
    name: 'kms_look_ups_total',
    help: 'Keys from KMS that were asked for: hit, miss or stale',
    labels: ['keyring', 'result'],
  })
  const unwrappedAt = new Map<string, KeyringEvent & { type: 'unwrapped' }>()
  registry.asked(
    {
      name: 'unwrapped_age_seconds',
      help: 'Since KMS unwrapped the key version for the last time',
      labels: ['keyring', 'key_version'],
      across: 'max',
    },
    () =>
      [...unwrappedAt.values()].map(({ keyring, keyVersion, at }) => [
        { keyring, key_version: keyVersion },
        seconds(performance.now() - at),
      ]),
  )
  return (event) => {
    const { keyring } = event
    switch (event.type) {
      case 'call':
        calls({ keyring, operation: event.operation, outcome: event.outcome })
        took({ operation: event.operation }, seconds(event.ms))
        return
      case 'look-up':
        lookUps({ keyring, result: event.result })
        return
      case 'unwrapped': {
        const name = `${keyring} ${event.keyVersion}`
        if (unwrappedAt.has(name) || unwrappedAt.size < MOST_KEY_VERSIONS) unwrappedAt.set(name, event)
        return
      }
      case 'failing':
    }
  }
}
