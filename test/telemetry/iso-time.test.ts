import t from 'tap'
import fc from 'fast-check'
import { isoTimes } from '../../src/telemetry/iso-time.js'

/** Instants as a log sees them, now and then backwards, and whatever else a number can be. */
const instants = fc.array(
  fc.oneof(
    fc.integer({ min: 1_790_000_000_000, max: 1_790_000_002_000 }),
    fc.double({ min: -3000, max: 3000, noNaN: true }),
    fc.double({ min: 1_790_000_000_000, max: 1_790_000_001_000, noNaN: true }),
    fc.double(),
  ),
  { minLength: 1, maxLength: 30 },
)

const orError = (format: (ms: number) => string, ms: number): string => {
  try {
    return format(ms)
  } catch (error) {
    return (error as Error).name
  }
}

t.test('as a Date tells it, in whatever order instants come', async (t) => {
  fc.assert(
    fc.property(instants, (all) => {
      const isoTime = isoTimes()
      for (const ms of all) {
        const plain = orError((at) => new Date(at).toISOString(), ms)
        if (orError(isoTime, ms) !== plain) throw new Error(`${ms}: ${orError(isoTime, ms)}, not ${plain}`)
      }
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
