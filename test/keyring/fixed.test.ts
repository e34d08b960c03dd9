import t from 'tap'
import { fixedKeyring } from '../../src/keyring/fixed.js'
import { clock, keyOf, scopeOf, versionOf } from './material.js'

t.test('the same key for every object', async (t) => {
  const ring = fixedKeyring('legacy', [versionOf('v1', 'readable'), versionOf('v2', 'active')], clock)
  t.equal(ring.type, 'fixed')
  for (const scope of [scopeOf('photos', 'a'), scopeOf('backup', 'b/c', 'id')]) {
    t.ok((await ring.forWrite(scope)).key.equals(keyOf('v2')))
    const old = await ring.forVersion(scope, 'v1')
    t.ok(old !== 'unknown' && old.key.equals(keyOf('v1')))
  }
})
