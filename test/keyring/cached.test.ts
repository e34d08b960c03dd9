import fc from 'fast-check'
import t from 'tap'
import { rememberedVersions } from '../../src/keyring/cached.js'
import { scopeOf } from './material.js'

const key = (keyVersion: string) => ({ keyring: 'main', keyVersion })

t.test('remembers, replaces and forgets', async (t) => {
  const memory = rememberedVersions(10)
  const scope = scopeOf('photos', 'a')
  t.equal(memory.get(scope), 'unknown')
  memory.set(scope, key('v1'))
  t.strictSame(memory.get(scopeOf('photos', 'a')), key('v1'))
  memory.set(scope, 'plain')
  t.equal(memory.get(scope), 'plain')
  memory.forget(scope)
  t.equal(memory.get(scope), 'unknown')
})

t.test('uploads are apart from objects', async (t) => {
  const memory = rememberedVersions(10)
  const scope = scopeOf('photos', 'a')
  memory.set(scope, key('v1'))
  t.equal(memory.getUpload(scope, ''), 'unknown')
  memory.setUpload(scope, 'upload', key('v2'))
  t.strictSame(memory.getUpload(scope, 'upload'), key('v2'))
  t.equal(memory.getUpload(scope, 'other'), 'unknown')
  t.equal(memory.getUpload(scopeOf('photos', 'b'), 'upload'), 'unknown')
  t.strictSame(memory.get(scope), key('v1'))
  t.equal(memory.getUpload(scopeOf('photos', 'da'), 'uploa'), 'unknown', 'where one name ends and the other begins')
  t.equal(memory.getUpload(scopeOf('photos', 'oada'), 'upl'), 'unknown')
  memory.forgetUpload(scope, 'upload')
  t.equal(memory.getUpload(scope, 'upload'), 'unknown')
})

t.test('no two scopes and no two uploads are confused, whatever their names hold', async () => {
  const letters = fc.constantFrom('a', '1', ' ', '\0', '/')
  const text = fc.string({ unit: letters, minLength: 1, maxLength: 4 })
  const version = fc.option(fc.string({ unit: fc.constantFrom('a', '1', '/'), minLength: 1, maxLength: 2 }))
  const bucket = fc.constantFrom('aaa', 'aa1', 'a.1')
  const named = fc.tuple(bucket, text, version, text)
  const property = fc.property(named, named, ([b1, k1, v1, u1], [b2, k2, v2, u2]) => {
    const memory = rememberedVersions(10)
    const one = scopeOf(b1, k1, v1 ?? undefined)
    const two = scopeOf(b2, k2, v2 ?? undefined)
    memory.set(one, key('object'))
    memory.setUpload(one, u1, key('upload'))
    const sameObject = b1 === b2 && k1 === k2
    return (
      (memory.get(two) !== 'unknown') === (sameObject && v1 === v2) &&
      (memory.getUpload(two, u2) !== 'unknown') === (sameObject && u1 === u2)
    )
  })
  fc.assert(property, { numRuns: 2000 })
})

t.test('holds so many and no more, and forgets the least recently used', async (t) => {
  const memory = rememberedVersions(3)
  for (const objectKey of ['a', 'b', 'c']) memory.set(scopeOf('photos', objectKey), key(objectKey))
  memory.get(scopeOf('photos', 'a'))
  memory.set(scopeOf('photos', 'd'), 'plain')
  t.strictSame(
    ['a', 'b', 'c', 'd'].map((objectKey) => memory.get(scopeOf('photos', objectKey))),
    [key('a'), 'unknown', key('c'), 'plain'],
  )
})

t.test('a memory of nothing', async (t) => {
  const memory = rememberedVersions(0)
  const scope = scopeOf('photos', 'a')
  memory.set(scope, 'plain')
  memory.setUpload(scope, 'upload', key('v1'))
  memory.forget(scope)
  memory.forgetUpload(scope, 'upload')
  t.equal(memory.get(scope), 'unknown')
  t.equal(memory.getUpload(scope, 'upload'), 'unknown')
})
