import t from 'tap'
import { randomBytes } from 'node:crypto'
import { requestIds } from '../../src/proxy/request-ids.js'

t.test('every id is eight bytes of what was drawn, in order, none twice and none left out', async (t) => {
  const drawn: Buffer[] = []
  const next = requestIds((size) => {
    drawn.push(randomBytes(size))
    return drawn.at(-1) as Buffer
  })
  t.equal(drawn.length, 0, 'nothing is drawn before it is needed')
  const ids = Array.from({ length: 1536 }, next)
  t.equal(drawn.length, 3)
  t.equal(ids.join(''), Buffer.concat(drawn).toString('hex').toUpperCase())
  for (const id of ids) if (!/^[0-9A-F]{16}$/.test(id)) t.fail(id)
  t.equal(new Set(ids).size, ids.length)
})

t.test('two that draw for themselves share no id', async (t) => {
  const [one, other] = [requestIds(randomBytes), requestIds(randomBytes)]
  const ids = Array.from({ length: 600 }, () => [one(), other()]).flat()
  t.equal(new Set(ids).size, 1200)
})

t.test('the last digits of a draw that is too short make no shorter id', async (t) => {
  let draws = 0
  const next = requestIds(() => Buffer.alloc(12, ++draws))
  t.equal(next(), '0101010101010101')
  t.equal(next(), '0202020202020202')
})
