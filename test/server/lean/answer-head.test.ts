import fc from 'fast-check'
import t from 'tap'
import { FieldList } from '../../../src/http1/field-list.js'
import { readFields } from '../../../src/http1/fields.js'
import type { FieldChanges } from '../../../src/proxy/handler.js'
import { answerHead } from '../../../src/server/lean/answer-head.js'
import { linesOf } from '../../http1/lines-of.js'
import { runs } from '../../support/runs.js'

type Fields = ReadonlyMap<string, string>

/** The same, one step after the other: a copy without what is dropped, what is added, and each line looked at. */
function headPlainly(status: number, fields: Fields, { drops, own }: FieldChanges) {
  const owns = new Map(own)
  const headers = new Map<string, string>()
  for (const [name, value] of fields) if (owns.has(name) || !drops(name)) headers.set(name, owns.get(name) ?? value)
  for (const [name, value] of own) headers.set(name, value)
  const lines: string[] = []
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return 'refused'
    if (/^(?:connection|keep-alive|transfer-encoding|upgrade|trailer)$/.test(name)) return 'refused'
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return 'refused'
    if (name === 'content-length' && !/^\d{1,15}$/.test(value)) return 'refused'
    lines.push(`${name}: ${value}`)
  }
  const length = headers.has('content-length') ? Number(headers.get('content-length')) : 'unknown'
  return { status, lines, length }
}

function head(status: number, fields: Fields, changes: FieldChanges) {
  try {
    const { text, length, status: said } = answerHead(status, fields, changes)
    const [, ...lines] = text.split('\r\n').slice(0, -1)
    // that of the clock
    return { status: said, lines: lines.filter((line) => !/^date: \w{3}, /.test(line)), length }
  } catch {
    return 'refused'
  }
}

const name = fc.constantFrom('etag', 'x-a', 'x-b', 'date', 'content-length', 'connection', 'transfer-encoding')
const oddName = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 1, arbitrary: fc.constantFrom('A', 'a b', 'a\r\nb', '') },
)
const value = fc.constantFrom('', '5', '12', '"x"', 'a\tb', '\x80\xff')
const oddValue = fc.oneof(
  { weight: 6, arbitrary: value },
  { weight: 1, arbitrary: fc.constantFrom('a\r\nb: c', 'a\nb', '\r', '\0', '\x7f', '\u010d\u010a', '\u{1f600}') },
)
const changes = fc.record({
  dropped: fc.constantFrom<readonly string[]>([], ['connection', 'transfer-encoding'], ['etag', 'connection', 'date']),
  own: fc.uniqueArray(fc.tuple(oddName, oddValue), { maxLength: 2, selector: ([one]) => one }),
})

t.test('a head is made of fields and changes as of a changed copy, whoever read them', async (t) => {
  const property = fc.property(
    fc.uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([one]) => one.toLowerCase() }),
    fc.array(fc.tuple(oddName, oddValue), { maxLength: 4 }),
    changes,
    (clean, odd, { dropped, own }) => {
      const both = { drops: (one: string) => dropped.includes(one), own }
      const list = FieldList.of(readFields(linesOf(clean.map(([n, v]) => `${n}: ${v}\r\n`).join('')), 0))
      if (list === 'repeated') throw new Error('no name is there twice')
      for (const fields of [list, new Map(clean), new Map(odd)]) {
        t.strictSame(head(200, fields, both), headPlainly(200, fields, both))
      }
    },
  )
  fc.assert(property, { numRuns: runs(1500) })
})

t.test('a date is added where none is', async (t) => {
  const dates = (fields: Fields, changed?: FieldChanges) => answerHead(200, fields, changed).text.match(/^date: .*$/gm)
  t.match(dates(new Map()), [/^date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/])
  t.strictSame(dates(new Map([['date', 'x']])), ['date: x'])
  t.strictSame(dates(new Map(), { drops: () => false, own: [['date', 'y']] }), ['date: y'])
  t.match(dates(new Map([['date', 'x']]), { drops: () => true, own: [] }), [/GMT$/])
})
