import fc from 'fast-check'
import t from 'tap'
import { stringToSignHead } from '../../src/sigv4/string-to-sign.js'

t.test('whatever was asked for before, each has its own', (t) => {
  const headOf = stringToSignHead()
  const one = fc.record({
    timestamp: fc.constantFrom('20130524T000000Z', '20130524T000001Z', '20130525T000000Z'),
    date: fc.constantFrom('20130524', '20130525'),
    region: fc.constantFrom('us-east-1', 'eu-central-1'),
    service: fc.constantFrom('s3', 'sts'),
  })
  fc.assert(
    fc.property(one, ({ timestamp, date, region, service }) => {
      const expected = `AWS4-HMAC-SHA256\n${timestamp}\n${date}/${region}/${service}/aws4_request\n`
      return headOf(timestamp, { date, region, service }) === expected
    }),
    { numRuns: 1000 },
  )
  t.end()
})
