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
  fc.assert(
    fc.property(key, fc.array(text, { maxLength: 5 }), (secret, texts) => {
      const hmac = hmacSha256(secret)
      return texts.every((each) => hmac(each) === createHmac('sha256', secret).update(each, 'latin1').digest('hex'))
    }),
    { numRuns: 500 },
  )
  t.end()
})
