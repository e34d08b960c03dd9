import t from 'tap'
import { keptNames } from '../../src/s3/kept-names.js'

t.test('a name is judged once, long ones and those beyond the thousandth each time', async (t) => {
  const judged: string[] = []
  const isShort = keptNames((name) => {
    judged.push(name)
    return name.length < 5
  })
  const timesOf = (name: string): number => judged.filter((one) => one === name).length
  const long = 'x'.repeat(101)
  for (let times = 0; times < 3; times += 1) {
    t.equal(isShort('host'), true)
    t.equal(isShort('x-amz-date'), false)
    t.equal(isShort('__proto__'), false)
    t.equal(isShort(long), false)
  }
  t.same(['host', 'x-amz-date', '__proto__', long].map(timesOf), [1, 1, 1, 3])
  for (let n = 0; n < 1000; n += 1) isShort(`name-${n}`)
  for (let times = 0; times < 3; times += 1) isShort('one more')
  t.equal(timesOf('one more'), 3)
  isShort('host')
  t.equal(timesOf('host'), 1)
})

t.test('what is thrown is thrown again', async (t) => {
  let times = 0
  const judge = keptNames((name) => {
    times += 1
    throw new Error(name)
  })
  t.throws(() => judge('a'), new Error('a'))
  t.throws(() => judge('a'), new Error('a'))
  t.equal(times, 2)
})
