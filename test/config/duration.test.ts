import fc from 'fast-check'
import t from 'tap'
import { parseDuration } from '../../src/config/duration.js'

t.test('units', async (t) => {
  t.equal(parseDuration('1ms'), 1)
  t.equal(parseDuration('30s'), 30_000)
  t.equal(parseDuration('5m'), 300_000)
  t.equal(parseDuration('1h'), 3_600_000)
  t.equal(parseDuration('24h'), 86_400_000)
})

t.test('what is none', async (t) => {
  const wrong = [
    '',
    '30',
    's',
    '0s',
    '-1s',
    '+1s',
    '1.5s',
    '1 s',
    ' 1s',
    '1s ',
    '1s\n',
    '1S',
    '1d',
    '1sec',
    '01s',
    '1h30m',
  ]
  for (const text of [...wrong, '25h', '86400001ms', '9999999999h', '1e3s', '١s']) {
    t.equal(parseDuration(text), 'invalid', JSON.stringify(text))
  }
})

t.test('is always more than nothing and fits a timer', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e11 }), fc.constantFrom('ms', 's', 'm', 'h'), (amount, unit) => {
      const ms = parseDuration(`${amount}${unit}`)
      return ms === 'invalid' || (Number.isInteger(ms) && ms > 0 && ms < 2 ** 31)
    }),
  )
})
