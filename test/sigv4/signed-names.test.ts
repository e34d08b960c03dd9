import fc from 'fast-check'
import t from 'tap'
import { signedNames } from '../../src/sigv4/signed-names.js'
import { codeOf } from './examples.js'

/** The same, said plainly and without a memory. */
const plain = (all: readonly string[]): readonly string[] =>
  all
    .filter((name) => ['host', 'content-type', 'content-md5', 'range'].includes(name) || name.startsWith('x-amz-'))
    .sort()

const name = fc.oneof(
  fc.constantFrom(
    'host',
    'range',
    'content-type',
    'content-md5',
    'user-agent',
    'x-amz-date',
    'x-amzn-a',
    'authorization',
  ),
  fc
    .string({ unit: fc.constantFrom('a', 'z', '0', '9', '-', '_', '.', '~'), minLength: 1, maxLength: 12 })
    .map((text) => `x-amz-meta-${text}`),
  fc.constantFrom('constructor', 'x-amz-', 'x-amz', '__proto__'),
)
const names = fc.uniqueArray(name, { maxLength: 12 })

t.test('the same as without a memory, whatever was asked for before', (t) => {
  const agrees = (all: readonly string[]): boolean => {
    const expected = plain(all)
    const found = signedNames(Object.keys(Object.fromEntries(all.map((each) => [each, '']))))
    t.same(found.names, expected)
    return found.list === expected.join(';')
  }
  // Few that come again and again, and their like: others in number and order.
  const few = fc.constantFrom(['host', 'x-amz-date'], ['x-amz-date', 'host'], ['host'], ['host', 'x-amz-date', 'range'])
  fc.assert(fc.property(fc.oneof(few, names), agrees), { numRuns: 2000 })
  t.end()
})

t.test('many kinds, and a long one, are judged like the first', (t) => {
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 50; i += 1) {
      t.equal(signedNames(['te', `x-amz-meta-${i}`, 'host']).list, `host;x-amz-meta-${i}`)
    }
    const long = Array.from({ length: 200 }, (_, i) => `x-amz-meta-${i}`)
    t.same(signedNames(long).names, [...long].sort())
    t.not(signedNames(long), signedNames(long), 'not kept')
  }
  t.equal(signedNames(['host', 'x-amz-meta-1']), signedNames(['host', 'x-amz-meta-1']), 'kept')
  t.end()
})

t.test('a name that is none is refused each time, in any company', (t) => {
  for (let round = 0; round < 3; round += 1) {
    for (const odd of ['', 'Host', 'a b', 'a:b', 'x-amz-\n', 'ü']) {
      t.equal(
        codeOf(() => signedNames(['host', odd])),
        'InternalError',
        odd,
      )
    }
  }
  t.end()
})
