import fc from 'fast-check'
import t from 'tap'
import { byBytes, groupByDelimiter, readListing } from '../../src/origin/operations/listing.js'

const query = (parameters: Record<string, string>): Map<string, string> => new Map(Object.entries(parameters))

t.test('names are in the order of their bytes, not of their UTF-16', async (t) => {
  t.ok(byBytes('\uffff', '\u{1f511}') < 0)
  t.ok(byBytes('a', 'b') < 0)
  t.ok(byBytes('a', 'a/') < 0)
})

t.test('pages put together are the whole listing', async (t) => {
  const name = fc
    .array(fc.constantFrom('a', 'b', '/', 'é'), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join(''))
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 20 }), fc.integer({ min: 1, max: 4 }), (names, limit) => {
        const sorted = [...names].sort(byBytes)
        const listing = readListing(query({ delimiter: '/', 'max-keys': String(limit) }), 'max-keys')
        const whole = groupByDelimiter(sorted, (entry) => entry, { ...listing, limit: 1000 })
        const entries: string[] = []
        const prefixes: string[] = []
        for (let after = ''; ;) {
          const rest = sorted.filter((entry) => after === '' || byBytes(entry, after) > 0)
          const page = groupByDelimiter(rest, (entry) => entry, listing, after)
          entries.push(...page.entries)
          prefixes.push(...page.prefixes)
          if (page.next.type === 'end') break
          after = page.next.name
        }
        return entries.join() === whole.entries.join() && prefixes.join() === whole.prefixes.join()
      }),
    ),
  )
})

t.test('limits', async (t) => {
  t.equal(readListing(query({}), 'max-keys').limit, 1000)
  t.equal(readListing(query({ 'max-keys': '5000' }), 'max-keys').limit, 1000)
  t.strictSame(
    groupByDelimiter(['a'], (entry) => entry, readListing(query({ 'max-keys': '0' }), 'max-keys')),
    {
      entries: [],
      prefixes: [],
      next: { type: 'end' },
    },
  )
  for (const bad of ['-1', 'x', '99999999999']) {
    t.throws(() => readListing(query({ 'max-keys': bad }), 'max-keys'), { code: 'InvalidArgument' }, bad)
  }
  t.throws(() => readListing(query({ 'encoding-type': 'base64' }), 'max-keys'), { code: 'InvalidArgument' })
})
