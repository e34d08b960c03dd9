import t from 'tap'
import { keptPieces } from '../../src/telemetry/kept-pieces.js'

function counted() {
  let made = 0
  const piece = keptPieces((a: string, b: string, c: number | 'none') => {
    made += 1
    return { json: JSON.stringify([a, b, c]), plain: b !== 'ü' }
  })
  return { piece, made: () => made }
}

t.test('a piece is made once while its values are the same, the last one for each first value', async (t) => {
  const { piece, made } = counted()
  for (let i = 0; i < 5; i += 1) {
    t.match(piece('a', 'b', 1), { json: '["a","b",1]', plain: true })
    t.match(piece('b', 'ü', 'none'), { json: '["b","ü","none"]', plain: false })
  }
  t.equal(made(), 2)
  t.equal(piece('a', 'c', 1).json, '["a","c",1]')
  t.equal(piece('a', 'c', 2).json, '["a","c",2]')
  t.equal(piece('a', 'b', 1).json, '["a","b",1]')
  t.equal(made(), 5)
})

t.test('a thousand are kept at most; then it begins anew', async (t) => {
  const { piece, made } = counted()
  for (let round = 0; round < 2; round += 1) for (let i = 0; i < 1000; i += 1) piece(`a${i}`, 'b', 1)
  t.equal(made(), 1000)
  piece('one more', 'b', 1)
  piece('a0', 'b', 1)
  t.equal(made(), 1002)
  // One whose other values change takes the place that it has.
  piece('a0', 'c', 1)
  piece('one more', 'b', 1)
  t.equal(made(), 1003)
})
