import t from 'tap'
import { formatTables, type Result } from '../e2e/report.js'
import { cellsOf } from './table-cells.js'

const result = (over: Partial<Result>): Result => ({
  upstream: 'origin, etag: opaque',
  client: 'boto 2',
  version: 'boto 2.49.0',
  setting: 'https, path',
  step: 'small',
  outcome: { type: 'works' },
  ...over,
})

const page = formatTables([
  result({}),
  result({ step: 'key: <&>?#', outcome: { type: 'cannot', reason: 'tidies (the) path' } }),
  result({ client: 'libs3', version: '2.0-4', outcome: { type: 'fails', error: 'it broke' } }),
  result({ setting: 'http', client: 'rclone', version: 'rclone v1.60.1-DEV' }),
])

t.test('a page of tables gives its cells, by names and with reasons', async (t) => {
  t.strictSame(Object.fromEntries(cellsOf(page)), {
    'origin, etag: opaque: https, path | boto 2 | small': 'yes',
    'origin, etag: opaque: https, path | boto 2 | `<&>?#`': 'no (tidies (the) path)',
    'origin, etag: opaque: https, path | libs3 | small': 'FAILS (small: it broke)',
    'origin, etag: opaque: http | rclone | small': 'yes',
  })
})

t.test('another version, other spacing and another order of the reasons are the same page', async (t) => {
  const other = page.replace('2.49.0', '2.50').replaceAll(' | ', '   |  ').replace('(1)', '(9)').replace('1. ', '9. ')
  t.strictSame(cellsOf(other), cellsOf(page))
})

t.test('another outcome or another reason is another page', async (t) => {
  t.notSame(cellsOf(page.replace('yes', 'no (1)')), cellsOf(page))
  t.notSame(cellsOf(page.replace('tidies', 'keeps')), cellsOf(page))
  t.notSame(cellsOf(page.replace('## origin', '## rgw')), cellsOf(page))
})

t.test(
  'of a long error the page has the beginning and the end, where a stack trace says what went wrong',
  async (t) => {
    const error = `duplicity exited with 30: Traceback\n${'  File "main.py", line 1\n'.repeat(90)}AssertionError: moved`
    const [cell] = cellsOf(formatTables([result({ outcome: { type: 'fails', error } })])).values()
    t.match(cell, /^FAILS \(small: duplicity exited with 30: Traceback File .* … .* AssertionError: moved\)$/)
    t.ok(cell!.length < 450, 'and no more')
  },
)
