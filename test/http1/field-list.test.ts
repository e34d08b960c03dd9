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
  'a list tells what a Map of the same fields does, few or many, and there is none where a name occurs again',
  async (t) => {
    const name = fc.oneof(
      fc.constantFrom('etag', 'ETag', 'x-a', 'X-A', 'x-b', 'content-length', '__proto__', 'constructor'),
      fc.nat(60).map((n) => `x-${n}`),
    )
    const counts = { once: 0, again: 0 }
    const pairs = fc.array(fc.tuple(name, fc.constantFrom('', 'a', 'b, c')), { maxLength: 40 })
    const property = fc.property(pairs, (some) => {
      const list = FieldList.of(read(some))
      const again: string[] = []
      const map = foldFields(read(some), (one) => again.push(one))
      const names = [...some.map(([one]) => one.toLowerCase()), 'missing', 'toString', '']
      counts[again.length === 0 ? 'once' : 'again'] += 1
      if (list === 'repeated') {
        t.ok(again.length > 0)
        return
      }
      t.strictSame(again, [])
      t.strictSame(told(list, names), told(map, names))
      t.strictSame(list.lines, [...map].flat())
    })
    fc.assert(property, { numRuns: runs(1000) })
    t.ok(counts.once > 50 && counts.again > 50, JSON.stringify(counts))
  },
)

t.test('none is made of lines that nobody has looked at', async (t) => {
  // @ts-expect-error the listener sends values of a list as they are: that these were not read by readFields must not compile
  t.not(FieldList.of(fieldLines(['x-a', 'a\r\nx-b: c'])), 'repeated')
})

t.test('nothing of it is printed', async (t) => {
  const list = FieldList.of(read([['x-amz-server-side-encryption-customer-key-md5', 'fingerprint']]))
  t.type(list, FieldList)
  t.notMatch(inspect(list, { depth: 9, showHidden: true }) + JSON.stringify({ list }), /fingerprint/)
})

t.test('a name that occurs again is seen among many, too', async (t) => {
  const many = Array.from({ length: 40 }, (_, n) => [`x-${n}`, ''] as const)
  for (const pairs of [[], many]) t.equal(FieldList.of(read([...pairs, ['a', '1'], ['A', '1']])), 'repeated')
})
