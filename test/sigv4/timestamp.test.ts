import t from 'tap'
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
