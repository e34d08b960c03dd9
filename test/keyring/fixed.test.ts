import t from 'tap'
import { fixedKeyring } from '../../src/keyring/fixed.js'
import { clock, isSame, keyOf, scopeOf, versionOf } from './material.js'

t.test('the same key for every object', async (t) => {
  const ring = fixedKeyring('legacy', [versionOf('v1', 'readable'), versionOf('v2', 'active')], clock)
  t.equal(ring.type, 'fixed')
  for (const scope of [scopeOf('photos', 'a'), scopeOf('backup', 'b/c', 'id')]) {
    t.ok(isSame((await ring.forWrite(scope)).key, keyOf('v2')))
    const old = await ring.forVersion(scope, 'v1')
    t.ok(old !== 'unknown' && isSame(old.key, keyOf('v1')))
  }
})
