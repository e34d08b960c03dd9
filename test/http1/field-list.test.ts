import fc from 'fast-check'
import t from 'tap'
import { inspect } from 'node:util'
import { FieldList } from '../../src/http1/field-list.js'
import { readFields } from '../../src/http1/fields.js'
import { fieldLines, foldFields } from '../../src/s3/fields.js'
import { runs } from '../support/runs.js'
import { linesOf } from './lines-of.js'

const read = (pairs: readonly (readonly [string, string])[]) =>
  readFields(linesOf(pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('')), 0)

/** All that a Map tells. */
function told(fields: ReadonlyMap<string, string>, names: readonly string[]) {
  const each: string[] = []
  fields.forEach((value, name) => each.push(name, value))
  return {
    each,
    all: [...fields],
    entries: [...fields.entries()],
    keys: [...fields.keys()],
    values: [...fields.values()],
    size: fields.size,
    found: names.map((name) => [fields.get(name), fields.has(name)]),
  }
}

t.test(
  'a list tells what a Map of the same fields does, few or many, and the same names that occur again',
  async (t) => {
    const name = fc.oneof(
      fc.constantFrom('etag', 'ETag', 'x-a', 'X-A', 'x-b', 'content-length', '__proto__', 'constructor'),
      fc.nat(60).map((n) => `x-${n}`),
    )
    const pairs = fc.array(fc.tuple(name, fc.constantFrom('', 'a', 'b, c')), { maxLength: 40 })
    const property = fc.property(pairs, (some) => {
      const [again, plainly]: [string[], string[]] = [[], []]
      const list = new FieldList(read(some), (one) => again.push(one))
      const map = foldFields(read(some), (one) => plainly.push(one))
      const names = [...some.map(([one]) => one.toLowerCase()), 'missing', 'toString', '']
      t.strictSame(told(list, names), told(map, names))
      t.strictSame(again, plainly)
      t.strictSame(list.lines, [...map].flat())
    })
    fc.assert(property, { numRuns: runs(1000) })
  },
)

t.test('none is made of lines that nobody has looked at', async (t) => {
  // @ts-expect-error the listener sends values of a list as they are: that these were not read by readFields must not compile
  const list = new FieldList(fieldLines(['x-a', 'a\r\nx-b: c']))
  t.equal(list.size, 1)
})

t.test('nothing of it is printed', async (t) => {
  const list = new FieldList(read([['x-amz-server-side-encryption-customer-key-md5', 'fingerprint']]))
  t.equal(list.size, 1)
  t.notMatch(inspect(list, { depth: 9, showHidden: true }) + JSON.stringify({ list }), /fingerprint/)
})

t.test('what is thrown at a name that occurs again is thrown on', async (t) => {
  const refuse = (name: string) => {
    throw new Error(name)
  }
  const many = Array.from({ length: 40 }, (_, n) => [`x-${n}`, ''] as const)
  for (const pairs of [[], many]) {
    t.throws(() => new FieldList(read([...pairs, ['a', '1'], ['A', '1']]), refuse), new Error('a'))
  }
})

t.test('thousands of fields are looked up in no time', async (t) => {
  const fields = read(Array.from({ length: 2000 }, (_, n) => [`x-${n}`, 'a']))
  const began = performance.now()
  for (let i = 0; i < 20; i += 1) {
    const list = new FieldList(fields)
    for (let n = 0; n < 1000; n += 1) list.get(`x-${n}`)
  }
  t.ok(performance.now() - began < 800, `${performance.now() - began} ms`)
})
