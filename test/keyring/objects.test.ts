import t from 'tap'
import { objectsKeyring } from '../../src/keyring/objects.js'
import type { ObjectEntry } from '../../src/keyring/keyring-file.js'
import type { ObjectScope } from '../../src/keyring/port.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../../src/s3/names.js'
import { bytesOf, checkOf, isSame, keyOf, scopeOf } from './material.js'

const entry = (bucket: string, objectKey: string, label: string, versionId?: string): ObjectEntry => ({
  bucket: parseBucket(bucket),
  objectKey: parseObjectKey(objectKey),
  version: versionId === undefined ? { type: 'any' } : { type: 'id', versionId: parseVersionId(versionId) },
  key: keyOf(label),
})
const id = (label: string) => checkOf(bytesOf(label))

const ring = objectsKeyring('found', [
  entry('photos', 'both', 'first', 'v1'),
  entry('photos', 'both', 'general'),
  entry('photos', 'both', 'second', 'v2'),
  entry('photos', 'versions-only', 'third', 'v3'),
  entry('photos', 'same-key', 'general', 'v4'),
  entry('photos', 'same-key', 'general', 'v5'),
])

t.test('writes use the entry without a version id', async (t) => {
  const write = await ring.forWrite(scopeOf('photos', 'both'))
  t.strictSame([write.keyring, write.keyVersion], ['found', id('general')])
  t.ok(isSame(write.key, keyOf('general')))
})

t.test('writes of anything else are refused and say why', async (t) => {
  const refused = {
    code: 'AccessDenied',
    status: 403,
    message: /holds keys of single objects and none to write this one/,
  }
  for (const scope of [
    scopeOf('photos', 'versions-only'),
    scopeOf('photos', 'not-there'),
    scopeOf('photos', 'Both'),
    scopeOf('backup', 'both'),
    scopeOf('photos', 'both/'),
  ]) {
    t.throws(() => void ring.forWrite(scope), refused)
  }
})

t.test('reads', async (t) => {
  const candidates = (scope: ObjectScope) => ring.candidates(scope)
  t.strictSame(candidates(scopeOf('photos', 'both')), ['general', 'second', 'first'].map(id), 'the latest may be any')
  t.strictSame(candidates(scopeOf('photos', 'both', 'v1')), [id('first')], 'a version with a key of its own')
  t.strictSame(candidates(scopeOf('photos', 'both', 'v9')), [id('general')], 'a version without')
  t.strictSame(candidates(scopeOf('photos', 'versions-only')), [id('third')])
  t.strictSame(candidates(scopeOf('photos', 'versions-only', 'v9')), [])
  t.strictSame(candidates(scopeOf('photos', 'same-key')), [id('general')], 'one key is tried once')
  t.strictSame(candidates(scopeOf('backup', 'both')), [])
  t.strictSame(candidates(scopeOf('replica', 'both', 'v2', 'photos')), [id('second')], 'under the bucket identity')
})

t.test('a key version is known for its own object only', async (t) => {
  const own = await ring.forVersion(scopeOf('photos', 'both'), id('second'))
  t.ok(own !== 'unknown' && isSame(own.key, keyOf('second')) && own.keyVersion === id('second'))
  t.equal(await ring.forVersion(scopeOf('photos', 'versions-only'), id('second')), 'unknown')
  t.equal(await ring.forVersion(scopeOf('photos', 'not-there'), id('general')), 'unknown')
  t.equal(await ring.forVersion(scopeOf('photos', 'both'), ''), 'unknown')
})
