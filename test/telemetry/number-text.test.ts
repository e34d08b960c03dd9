import t from 'tap'
import { msText, numberText } from '../../src/telemetry/number-text.js'
import fc from 'fast-check'
import { runs } from '../support/runs.js'

/** Durations, and whatever else a number can be; those where digits run out. */
const number = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.double({ min: 0, max: 1e7, noNaN: true }),
  fc.double({ min: -1, max: 1e-3, noNaN: true }),
  fc.double({ min: 1e11, max: 1e13, noNaN: true }),
  fc.nat({ max: 100_000 }).map((n) => n / 1000),
  fc.nat(),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 1e15, 1e21, 999_999_999_999.999, 1e12, Number.MAX_VALUE, 5e-324),
)

t.test('a number as JSON.stringify has it, milliseconds rounded to microseconds', async (t) => {
  fc.assert(
    fc.property(number, (value) => {
      if (numberText(value) !== JSON.stringify(value)) throw new Error(`${value}: ${numberText(value)}`)
      const plain = JSON.stringify(Math.round(value * 1000) / 1000)
      if (msText(value) !== plain) throw new Error(`${value}: ${msText(value)}, not ${plain}`)
    }),
    { numRuns: runs(20_000) },
  )
  t.equal(msText(1.0004), '1')
  t.equal(msText(12.3456), '12.346')
  t.equal(msText(0.05), '0.05')
})
