import t from 'tap'
import fc from 'fast-check'
import { isPlain } from '../../src/telemetry/plain-text.js'
import { mayHoldSecret } from '../../src/telemetry/redact.js'
import { runs } from '../support/runs.js'

t.test('every unit of UTF-16: plain is what is printed in ASCII and is no quote, backslash, = or %', async (t) => {
  const plain: string[] = []
  for (let unit = 0; unit <= 0xffff; unit += 1) {
    const text = String.fromCharCode(unit)
    if (isPlain(text)) plain.push(text)
    if (isPlain(`abc${text}def`) !== isPlain(text)) t.fail(`${unit} inside of a text`)
  }
  const printed = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i))
  t.equal(plain.join(''), printed.filter((text) => !'"\\=%'.includes(text)).join(''))
  t.ok(isPlain(''))
})

t.test('JSON has a plain text as it stands, in as many bytes as characters, and it holds no secret', async (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
    fc.constantFrom('Signature', '=', '%3D', 'X-Amz-Security-Token', 'AWSSecretAccessKey', '"', '\\', '\n', 'ü'),
  )
  const some = { plain: 0, other: 0 }
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const text = pieces.join('')
      some[isPlain(text) ? 'plain' : 'other'] += 1
      if (!isPlain(text)) return
      if (JSON.stringify(text) !== `"${text}"`) throw new Error(`escaped: ${text}`)
      if (Buffer.byteLength(text) !== text.length) throw new Error(`no ASCII: ${text}`)
      if (mayHoldSecret(text) || mayHoldSecret(JSON.stringify({ text }))) throw new Error(`a secret: ${text}`)
    }),
    { numRuns: runs(2000) },
  )
  t.ok(some.plain > 0 && some.other > 0)
})
