import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { formatTimestamp, parseDateHeader, parseTimestamp, showTime } from '../../src/sigv4/timestamp.js'

const time = new Date('2013-05-24T01:02:03.456Z')

t.test('written without milliseconds', (t) => {
  t.equal(formatTimestamp(time), '20130524T010203Z')
  t.equal(showTime(time), '2013-05-24T01:02:03Z')
  t.end()
})

t.test('read back', (t) => {
  t.same(parseTimestamp('20130524T010203Z'), new Date('2013-05-24T01:02:03Z'))
  t.same(parseTimestamp('20240229T235959Z'), new Date('2024-02-29T23:59:59Z'))
  t.end()
})

t.test('times that do not exist, and other forms, are invalid', (t) => {
  const wrong = ['20130532T000000Z', '20230229T000000Z', '20130524T240000Z', '20130524T000060Z', '20130524T0000Z', '']
  const forms = [
    '2013-05-24T00:00:00Z',
    '20130524T000000',
    '20130524T000000z',
    ' 20130524T000000Z',
    '20130524T000000Z\n',
  ]
  for (const text of [...wrong, ...forms]) t.equal(parseTimestamp(text), 'invalid', JSON.stringify(text))
  t.end()
})

t.test('the Date header is an HTTP date or the basic form', (t) => {
  for (const text of ['Fri, 24 May 2013 00:00:00 GMT', 'Fri, 24 May 2013 00:00:00 +0000', '20130524T000000Z']) {
    t.same(parseDateHeader(text), new Date('2013-05-24T00:00:00Z'), text)
  }
  for (const text of [
    '',
    'yesterday',
    'Fri, 99 May 2013 00:00:00 GMT',
    'Fri, 24 Foo 2013 00:00:00 GMT',
    '1369353600',
  ]) {
    t.equal(parseDateHeader(text), 'invalid', JSON.stringify(text))
  }
  t.end()
})

const basic = (date: Date): string => date.toISOString().replace(/[-:]|\.\d{3}/g, '')

/** What reading means, said plainly: a time that is written in the same way. */
function plainParse(text: string): Date | 'invalid' {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.map(Number) ?? []
  if (year === undefined) return 'invalid'
  const date = new Date(Date.UTC(year, month! - 1, day, hour, minute, second))
  return basic(date) === text ? date : 'invalid'
}

const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'))
const year = fc.oneof(
  fc.constantFrom('0000', '0099', '0100', '1900', '1970', '2000', '9999'),
  fc.tuple(two, two).map((t) => t.join('')),
)
const near = (...values: readonly string[]) => fc.oneof(fc.constantFrom(...values), two)
const timestamp = fc
  .tuple(
    year,
    near('00', '01', '02', '12', '13'),
    near('00', '01', '28', '29', '30', '31', '32'),
    near('23', '24'),
    near('59', '60'),
    near('59', '60'),
  )
  .map(([y, mo, d, h, mi, s]) => `${y}${mo}${d}T${h}${mi}${s}Z`)
const nearlyTimestamp = fc
  .tuple(timestamp, fc.nat({ max: 15 }), fc.string({ unit: 'binary', maxLength: 2 }))
  .map(([text, at, other]) => text.slice(0, at) + other + text.slice(at + 1))

t.test('read as the plain formulation reads it, whatever it is', (t) => {
  fc.assert(
    fc.property(fc.oneof(timestamp, nearlyTimestamp, fc.string()), (text) => {
      const [read, plain] = [parseTimestamp(text), plainParse(text)]
      return read === plain || (read as Date).getTime() === (plain as Date).getTime()
    }),
    { numRuns: runs(3000) },
  )
  t.end()
})

t.test('written as ever, in whatever order times come', (t) => {
  const date = fc.date({ min: new Date(-1e13), max: new Date(3e14), noInvalidDate: true })
  fc.assert(
    fc.property(fc.array(date), (dates) => {
      const close = dates.flatMap((d) => [d, new Date(d.getTime() + 1), new Date(d.getTime() + 999), d])
      return close.every((d) => formatTimestamp(d) === basic(d))
    }),
  )
  t.throws(() => formatTimestamp(new Date(Number.NaN)), RangeError)
  t.end()
})
