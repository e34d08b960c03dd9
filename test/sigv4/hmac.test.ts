import { createHmac, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { hmacSha256 } from '../../src/sigv4/hmac.js'

t.test("the same as node's Hmac, whatever came before", (t) => {
  const text = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
    maxLength: 700,
    size: 'max',
  })
  const key = fc.uint8Array({ minLength: 1, maxLength: 150 }).map((bytes) => createSecretKey(bytes))
  // Few heads, so that one comes again, after others and after none.
  const texts = fc
    .array(text, { minLength: 1, maxLength: 3 })
    .chain((heads) => fc.array(fc.tuple(fc.constantFrom('', ...heads), text), { maxLength: 8 }))
  fc.assert(
    fc.property(key, texts, (secret, pairs) => {
      const hmac = hmacSha256(secret)
      return pairs.every(
        ([head, tail]) =>
          hmac(head, tail) ===
          createHmac('sha256', secret)
            .update(head + tail, 'latin1')
            .digest('hex'),
      )
    }),
    { numRuns: 500 },
  )
  t.end()
})
