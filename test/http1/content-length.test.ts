import fc from 'fast-check'
import t from 'tap'
import { contentLength } from '../../src/http1/content-length.js'
import { runs } from '../support/runs.js'

t.test('a length is one to fifteen digits, as a pattern says it', async () => {
  const plainly = (value: string) => (/^\d{1,15}$/.test(value) ? Number(value) : 'malformed')
  const character = fc.constantFrom(
    ...'0123456789'.repeat(3).split(''),
    '+',
    '-',
    '.',
    ' ',
    '\t',
    ',',
    '/',
    ':',
    'e',
    'x',
    '\0',
    '\n',
    '٣',
    '\xb2',
  )
  const text = fc.oneof(
    fc.array(character, { maxLength: 17 }).map((all) => all.join('')),
    fc.integer({ min: 0, max: 10 ** 15 }).map(String),
    fc.constantFrom('', '0', '007', '999999999999999', '9999999999999999', '1 ', ' 1', '1\n', '1,1', '0x1', 'Infinity'),
  )
  fc.assert(
    fc.property(text, (value) => contentLength(value) === plainly(value)),
    { numRuns: runs(5000) },
  )
})
