import fc from 'fast-check'
import t from 'tap'
import { readRange } from '../../src/origin/range.js'

t.test('one range is read, others are ignored', async (t) => {
  t.strictSame(readRange('bytes=0-0', 10), { start: 0, end: 1 })
  t.strictSame(readRange('bytes=5-', 10), { start: 5, end: 10 })
  t.strictSame(readRange('bytes=5-99', 10), { start: 5, end: 10 })
  t.strictSame(readRange('bytes=-3', 10), { start: 7, end: 10 })
  t.strictSame(readRange('bytes=-99', 10), { start: 0, end: 10 })
  for (const ignored of [undefined, '', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b']) {
    t.equal(readRange(ignored, 10), 'whole', String(ignored))
  }
})

t.test('what lies behind the end cannot be had', async (t) => {
  for (const range of ['bytes=10-', 'bytes=10-11', 'bytes=-0']) {
    t.throws(() => readRange(range, 10), { code: 'InvalidRange' }, range)
  }
  t.throws(() => readRange('bytes=0-', 0), { code: 'InvalidRange' }, 'of an empty object')
})

t.test('a range is never empty and never leaves the object', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: 1, max: 40 }), (first, last, size) => {
        if (first >= size) return true
        const range = readRange(`bytes=${first}-${last}`, size)
        return range === 'whole' ? last < first : range.start === first && range.start < range.end && range.end <= size
      }),
    ),
  )
})
