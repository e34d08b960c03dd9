import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { fits, protect, readPieces, startPiece, type CustomerKey } from '../../src/origin/at-rest.js'
import type { Piece } from '../../src/origin/model.js'

const given = (): Extract<CustomerKey, { type: 'given' }> => ({ type: 'given', key: createSecretKey(randomBytes(32)) })
const none: CustomerKey = { type: 'none' }

function store(customerKey: CustomerKey, writes: readonly Uint8Array[]): Piece {
  const piece = startPiece(customerKey)
  for (const bytes of writes) piece.add(Buffer.from(bytes))
  return piece.finish()
}

t.test('any span of any pieces, written in any way, reads back', async (t) => {
  const pieces = fc.array(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 5 }), { maxLength: 4 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(pieces, fc.boolean(), fc.nat(400), fc.nat(400), (written, encrypted, a, b) => {
        const customerKey = encrypted ? given() : none
        const whole = Buffer.concat(written.flat())
        const [start, end] = [Math.min(a, b, whole.length), Math.min(Math.max(a, b), whole.length)]
        const stored = written.map((writes) => store(customerKey, writes))
        const read = Buffer.concat([...readPieces(stored, customerKey, start, end)])
        return read.equals(whole.subarray(start, end))
      }),
    ),
  )
})

t.test('blocks are cut, and spans over their borders read back', async (t) => {
  const customerKey = given()
  const whole = randomBytes(700_001)
  const writes = Array.from({ length: 44 }, (_, index) => whole.subarray(index * 16_000, (index + 1) * 16_000))
  const piece = store(customerKey, writes)
  t.ok(piece.blocks.length > 2, 'more than one block')
  const span = (start: number, end: number): Buffer => Buffer.concat([...readPieces([piece], customerKey, start, end)])
  t.ok(span(255_990, 512_017).equals(whole.subarray(255_990, 512_017)))
  t.ok(span(0, whole.length).equals(whole))
})

t.test('under a key nothing of the plaintext is at rest, and equal bytes differ', async (t) => {
  const customerKey = given()
  const text = Buffer.alloc(64, 'plaintext ')
  const [one, two] = [store(customerKey, [text]), store(customerKey, [text])]
  const atRest = [one, two].map((piece) => Buffer.concat(piece.blocks))
  t.notOk(atRest.some((bytes) => bytes.includes('plain')))
  t.notOk(atRest[0]!.equals(atRest[1]!))
  t.ok(Buffer.concat(store(none, [text]).blocks).equals(text), 'without one it is the plaintext')
})

t.test('what is kept of a key tells it from others and does not hold it', async (t) => {
  const customerKey = given()
  const protection = protect(customerKey)
  t.ok(fits(customerKey, protection))
  t.notOk(fits(given(), protection))
  t.notOk(fits(none, protection))
  t.notOk(fits(customerKey, protect(none)))
  t.ok(fits(none, protect(none)))
  if (protection.type === 'plain') return t.fail('it must be protected')
  const bytes = customerKey.key.export()
  t.notOk(Buffer.concat([protection.mac, protection.salt]).includes(bytes.subarray(0, 8)))
  const again = protect(customerKey)
  t.notOk(again.type === 'customer-key' && again.mac.equals(protection.mac), 'salted')
})
