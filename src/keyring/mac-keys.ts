import type { KeyObject } from 'node:crypto'
import type { KmsConfig } from '../config/types.js'
import { persist } from './attempts.js'
import { checkOfMac, CHECK_LABEL } from './check-value.js'
import { derivationInfo } from './derive.js'
import { heldKeys, type Load, type Loaded } from './held-keys.js'
import { keyFromBytes } from './key-bytes.js'
import type { MacContents, MacVersion } from './keyring-file.js'
import { verificationProblem, type KmsKeys } from './kms-keys.js'
import type { KmsFailure } from './kms-port.js'
import { observed, type KmsWorld } from './kms-world.js'

/**
 * Data keys that are KMS's HMAC of the object's name: the same info as that of derived keys, so the two kinds differ in
 * who holds the master key. One call for each object that is not remembered.
 */
export function macKeys({ name, versions }: MacContents, config: KmsConfig, world: KmsWorld): KmsKeys {
  const kms = observed(world.connect(config), name, world)
  const { ttlMs, staleMs, cachedObjects: max } = config
  const held = heldKeys<KeyObject>({ keyring: name, max, ttlMs, staleMs }, world)
  const byId = new Map(versions.map((one) => [one.id, one]))
  /** The ARN that each version's kmsKeyId stood for when it was checked: an alias may be pointed elsewhere since. */
  const checked = new Map<string, string>()

  const check = async ({ id, kmsKeyId, check: expected }: MacVersion): Promise<Loaded<string> | KmsFailure> => {
    const answer = await kms.generateMac(kmsKeyId, CHECK_LABEL)
    if (answer.type !== 'bytes') return answer
    if (checkOfMac(answer.bytes) !== expected) {
      return { type: 'denied', reason: 'the check value does not belong to this key: another key was meant' }
    }
    checked.set(id, answer.kmsKeyId)
    return { type: 'value', value: answer.kmsKeyId }
  }
  const loadOf =
    (version: MacVersion, info: Buffer): Load<KeyObject> =>
    async () => {
      const known = checked.get(version.id)
      const key = known === undefined ? await check(version) : ({ type: 'value', value: known } as const)
      if (key.type !== 'value') return key
      const answer = await kms.generateMac(key.value, info)
      if (answer.type !== 'bytes') return answer
      if (answer.kmsKeyId !== key.value) return { type: 'denied', reason: 'KMS answered for another key than before' }
      const result = keyFromBytes(answer.bytes)
      answer.bytes.fill(0)
      if (result.type === 'refused') return { type: 'denied', reason: `the MAC ${result.message}` }
      return { type: 'value', value: result.key }
    }
  return {
    dataKey: (id, { bucketIdentity, objectKey }) => {
      const version = byId.get(id)
      if (version === undefined) throw new TypeError('no such key version')
      const info = derivationInfo(bucketIdentity, objectKey)
      return held.get(id, `${id} ${info.toString('latin1')}`, loadOf(version, info))
    },
    verify: async (patienceMs) => {
      const problems = versions.map(async (version, i) => {
        const result = await persist(() => check(version), { attempts: Infinity, forMs: patienceMs }, world)
        return result.type === 'value' ? [] : [verificationProblem(`versions[${i}].kmsKeyId`, result, version.kmsKeyId)]
      })
      return (await Promise.all(problems)).flat()
    },
  }
}
