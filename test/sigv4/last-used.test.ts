import fc from 'fast-check'
import t from 'tap'
import { LastUsed } from '../../src/sigv4/last-used.js'

t.test('the last used are kept, however they are asked for', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 6 })), (wanted) => {
      const found = new LastUsed<{ readonly n: number }>(3)
      let expected: readonly number[] = []
      for (const n of wanted) {
        const isThere = found.find((one) => one.n === n)?.n === n
        if (!isThere) found.add({ n })
        if (isThere !== expected.includes(n)) return false
        expected = [n, ...expected.filter((one) => one !== n)].slice(0, 3)
      }
      return true
    }),
  )
})

t.test('the last used one is looked at first', async (t) => {
  const found = new LastUsed<string>(4)
  for (const one of ['a', 'b', 'c']) found.add(one)
  found.find((one) => one === 'a')
  const seen: string[] = []
  const none = found.find((one) => {
    seen.push(one)
    return false
  })
  t.equal(none, undefined)
  t.strictSame(seen, ['a', 'c', 'b'])
})
