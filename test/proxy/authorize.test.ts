import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { matchesBucket, mayDo, type Subject } from '../../src/proxy/authorize.js'
import type { Grant, Permission } from '../../src/config/types.js'

const letters = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...Array.from(alphabet)), { maxLength }).map((all) => all.join(''))

t.test('a pattern matches what its regular expression matches', async (t) => {
  const property = fc.property(letters('ab.*', 8), letters('ab.', 10), (pattern, bucket) => {
    const escaped = pattern.replaceAll('.', '\\.').replaceAll('*', '.*')
    return matchesBucket(pattern, bucket) === new RegExp(`^${escaped}$`).test(bucket)
  })
  fc.assert(property, { numRuns: runs(5_000) })
  t.pass('for any pattern and name')
})

t.test('first and last part of a pattern do not share characters', async (t) => {
  t.notOk(matchesBucket('aba*ba', 'aba'))
  t.notOk(matchesBucket('a*a', 'a'))
  t.notOk(matchesBucket('a*b*a', 'aba'.slice(0, 2)))
  t.ok(matchesBucket('a*a', 'aa'))
  t.ok(matchesBucket('*', 'anything'))
})

t.test('a pattern of many stars takes no time', async (t) => {
  const start = process.hrtime.bigint()
  t.notOk(matchesBucket(`${'a*'.repeat(120)}b`, 'a'.repeat(255)))
  t.ok(process.hrtime.bigint() - start < 1_000_000_000n, 'a regular expression would need years')
})

const grant = (bucket: string, prefixes: string[], ...permissions: Permission[]): Grant => ({
  bucket,
  prefixes,
  permissions,
})
const object = (bucket: string, objectKey: string): Subject => ({ type: 'object', bucket, objectKey })

t.test('objects: bucket, prefix and permission must come from one grant', async (t) => {
  const grants = [grant('a', ['x/'], 'read'), grant('b', ['y/'], 'write')]
  t.ok(mayDo(grants, 'read', object('a', 'x/1')))
  t.notOk(mayDo(grants, 'write', object('a', 'x/1')))
  t.notOk(mayDo(grants, 'read', object('b', 'y/1')))
  t.notOk(mayDo(grants, 'read', object('a', 'y/1')), 'the prefix of another grant')
  t.notOk(mayDo(grants, 'read', object('a', 'x')), 'shorter than the prefix')
  t.notOk(mayDo(grants, 'read', object('a', '/x/1')), 'a slash more is another key')
  t.notOk(mayDo(grants, 'read', object('a', 'X/1')), 'keys have case')
  t.notOk(mayDo(grants, 'read', object('A', 'x/1')), 'and so do buckets')
  t.notOk(mayDo([grant('a', ['é'], 'read')], 'read', object('a', 'e\u0301x')), 'nothing is normalised')
  t.notOk(mayDo([grant('a', [], 'read')], 'read', object('a', 'x')), 'no prefix is not every prefix')
  t.notOk(mayDo([], 'read', object('a', 'x')))
})

t.test('listings stay below a prefix; the empty prefix is everything', async (t) => {
  const grants = [grant('a', ['x/'], 'list')]
  const listing = (prefix: string): Subject => ({ type: 'listing', bucket: 'a', prefix })
  t.ok(mayDo(grants, 'list', listing('x/')))
  t.ok(mayDo(grants, 'list', listing('x/deeper')))
  t.notOk(mayDo(grants, 'list', listing('x')))
  t.notOk(mayDo(grants, 'list', listing('')))
  t.ok(mayDo([grant('a', [''], 'list')], 'list', listing('')))
})

t.test('a bucket as a whole needs the whole bucket, but for asking whether it is there', async (t) => {
  const bucket: Subject = { type: 'bucket', bucket: 'a' }
  for (const permission of ['manage', 'delete', 'write', 'read'] as const) {
    t.notOk(mayDo([grant('a', ['x/'], permission)], permission, bucket), permission)
    t.ok(mayDo([grant('a', ['x/', ''], permission)], permission, bucket), permission)
  }
  t.ok(mayDo([grant('a', ['x/'], 'list')], 'list', bucket))
  t.notOk(mayDo([grant('b', [''], 'list', 'manage')], 'manage', bucket))
})
