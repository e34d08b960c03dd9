import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { derivedKeyring } from '../../src/keyring/derived.js'
import type { ObjectScope } from '../../src/keyring/port.js'
import { clock, hex, scopeOf, versionOf, type Vectors } from './material.js'

const file = new URL('../vectors/keys/derivation-v1.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as Vectors

t.test('gives the golden keys', async (t) => {
  for (const { name, masterKey, bucketIdentity, objectKey, dataKey } of vectors) {
    const key = createSecretKey(Buffer.from(masterKey, 'hex'))
    const ring = derivedKeyring(
      'main',
      [{ type: 'plain', id: 'v1', state: 'active', created: '2026-01-01T00:00:00Z', key }],
      clock,
    )
    const write = await ring.forWrite(scopeOf('elsewhere', objectKey, undefined, bucketIdentity))
    t.ok(hex(write.key) === dataKey, name)
    t.strictSame([write.keyring, write.keyVersion], ['main', 'v1'])
  }
})

t.test('the key depends on key version, bucket identity and object key, and on nothing else', async (t) => {
  const ring = derivedKeyring('main', [versionOf('v1', 'readable'), versionOf('v2', 'active')], clock)
  const keyFor = async (scope: ObjectScope, id = 'v2') => {
    const result = await ring.forVersion(scope, id)
    if (result === 'unknown') throw new Error('unknown')
    return hex(result.key)
  }
  const base = await keyFor(scopeOf('photos', 'a'))
  t.ok((await keyFor(scopeOf('replica', 'a', undefined, 'photos'))) === base, 'a replica of the bucket')
  t.ok((await keyFor(scopeOf('photos', 'a', 'some-version'))) === base, 'any version of the object')
  t.ok(hex((await ring.forWrite(scopeOf('photos', 'a'))).key) === base)
  t.notOk((await keyFor(scopeOf('photos', 'b'))) === base)
  t.notOk((await keyFor(scopeOf('photos', 'a', undefined, 'other'))) === base)
  t.notOk((await keyFor(scopeOf('photos', 'a'), 'v1')) === base)
})
