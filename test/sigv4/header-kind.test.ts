import fc from 'fast-check'
import t from 'tap'
import { headerKind } from '../../src/sigv4/header-kind.js'
import { codeOf } from './examples.js'

/** The same, said plainly and without a memory. */
const plain = (all: readonly string[]): readonly string[] =>
  all
    .filter((name) => ['host', 'content-type', 'content-md5', 'range'].includes(name) || name.startsWith('x-amz-'))
    .sort()

const name = fc.oneof(
  fc.constantFrom('host', 'range', 'content-type', 'content-md5', 'user-agent', 'x-amz-date', 'x-amzn-a', 'if-match'),
  fc
    .string({ unit: fc.constantFrom('a', 'z', '0', '9', '-', '_', '.', '~'), minLength: 1, maxLength: 12 })
    .map((text) => `x-amz-meta-${text}`),
  fc.constantFrom('constructor', 'x-amz-', 'x-amz', '__proto__'),
)
const names = fc.uniqueArray(name, { maxLength: 12 })

t.test('the same as without a memory, whatever was asked for before', (t) => {
  const agrees = (all: readonly string[]): boolean => {
    const expected = plain(all)
    const found = headerKind(Object.keys(Object.fromEntries(all.map((each) => [each, '']))))
    t.same(found.signedNames, expected)
    return found.signedList === expected.join(';')
  }
  // Few that come again and again, and their like: others in number and order.
  const few = fc.constantFrom(['host', 'x-amz-date'], ['x-amz-date', 'host'], ['host'], ['host', 'x-amz-date', 'range'])
  fc.assert(fc.property(fc.oneof(few, names), agrees), { numRuns: 2000 })
  t.end()
})

t.test('many kinds, and a long one, are judged like the first', (t) => {
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 50; i += 1) {
      t.equal(headerKind(['te', `x-amz-meta-${i}`, 'host']).signedList, `host;x-amz-meta-${i}`)
    }
    const long = Array.from({ length: 200 }, (_, i) => `x-amz-meta-${i}`)
    t.same(headerKind(long).signedNames, [...long].sort())
    t.not(headerKind(long), headerKind(long), 'not kept')
  }
  t.equal(headerKind(['host', 'x-amz-meta-1']), headerKind(['host', 'x-amz-meta-1']), 'kept')
  t.end()
})

t.test('a header that would be there twice is refused: authorization comes behind all', (t) => {
  for (const twice of [
    ['host', 'range', 'host'],
    ['te', 'te'],
    ['host', 'authorization'],
  ]) {
    t.equal(
      codeOf(() => headerKind(twice)),
      'InternalError',
    )
  }
  t.end()
})

t.test('a name that is none is refused each time, in any company', (t) => {
  for (let round = 0; round < 3; round += 1) {
    for (const odd of ['', 'Host', 'a b', 'a:b', 'x-amz-\n', 'ü']) {
      t.equal(
        codeOf(() => headerKind(['host', odd])),
        'InternalError',
        odd,
      )
    }
  }
  t.end()
})
