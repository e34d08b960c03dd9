import type { KmsConfig } from '../config/types.js'
import { persist } from './attempts.js'
import { heldKeys, type Load } from './held-keys.js'
import type { VersionedContents, WrappedVersion } from './keyring-file.js'
import { verificationProblem, type KmsKeys } from './kms-keys.js'
import { observed, type KmsWorld } from './kms-world.js'
import type { DataKeyOf, Prepare } from './versions.js'
import { unwrapKey } from './wrap-key.js'

/** Key versions of which some or all are wrapped by KMS; the plain ones are in memory for good. */
export function wrappedKeys(
  { name, versions }: VersionedContents,
  config: KmsConfig,
  prepare: Prepare,
  world: KmsWorld,
): KmsKeys {
  const kms = observed(world.connect(config), name, world)
  const { ttlMs, staleMs } = config
  const held = heldKeys<DataKeyOf>({ keyring: name, max: Math.max(1, versions.length), ttlMs, staleMs }, world)
  const plain = new Map(versions.flatMap((one) => (one.type === 'plain' ? [[one.id, prepare(one.key)] as const] : [])))
  const wrapped = new Map(versions.flatMap((one) => (one.type === 'wrapped' ? [[one.id, one] as const] : [])))
  const loadOf =
    (version: WrappedVersion): Load<DataKeyOf> =>
    async () => {
      const result = await unwrapKey(kms, name, version)
      if (result.type !== 'key') return result
      world.observe({ type: 'unwrapped', keyring: name, keyVersion: version.id, at: world.monotonic() })
      return { type: 'value', value: prepare(result.key) }
    }
  return {
    dataKey: (id, scope) => {
      const ready = plain.get(id)
      if (ready !== undefined) return ready(scope)
      const version = wrapped.get(id)
      if (version === undefined) throw new TypeError('a key version is neither plain nor wrapped')
      const keyOf = held.get(id, id, loadOf(version))
      return keyOf instanceof Promise ? keyOf.then((made) => made(scope)) : keyOf(scope)
    },
    verify: async (patienceMs) => {
      const patience = { attempts: Infinity, forMs: patienceMs }
      const problems = versions.map(async (version, i) => {
        if (version.type !== 'wrapped') return []
        const result = await persist(loadOf(version), patience, world)
        if (result.type !== 'value') {
          return [verificationProblem(`versions[${i}].wrappedKey`, result, version.kmsKeyId)]
        }
        held.put(version.id, result.value)
        return []
      })
      return (await Promise.all(problems)).flat()
    },
  }
}
