import fc from 'fast-check'
import t from 'tap'
import { S3Error } from '../../src/s3/error.js'
import { exactLength } from '../../src/proxy/exact-length.js'

function through(pieces: readonly string[], length: number) {
  let passed = ''
  const pass = (bytes: Buffer): void => void (passed += bytes.toString())
  const step = exactLength(length)
  try {
    for (const piece of pieces) step.piece(Buffer.from(piece), pass)
    step.end(pass)
    return { result: 'whole', passed }
  } catch (error) {
    return { result: error instanceof S3Error ? error.code : 'another error', passed }
  }
}

t.test('a body of the declared length passes byte for byte, however it is cut', (t) => {
  const pieces = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 }), { maxLength: 8 })
  fc.assert(
    fc.property(pieces, (cut) => {
      const body = cut.join('')
      t.strictSame(through(cut, body.length), { result: 'whole', passed: body })
    }),
    { numRuns: 50 },
  )
  t.end()
})

t.test('one byte more or fewer: an error, and never the whole declared length', (t) => {
  for (const pieces of [['hello', '!'], ['hell', 'o!'], ['hello!'], ['h', 'e', 'l', 'l', 'o', '!']]) {
    const { result, passed } = through(pieces, 5)
    t.equal(result, 'IncompleteBody')
    t.ok(passed.length < 5, `the upstream must not have all it waits for: ${passed}`)
  }
  for (const pieces of [['hell'], [], ['h', 'e']]) {
    t.equal(through(pieces, 5).result, 'IncompleteBody')
  }
  t.same(through(['x'], 0), { result: 'IncompleteBody', passed: '' })
  t.same(through([], 0), { result: 'whole', passed: '' })
  t.end()
})

t.test('the last piece waits for the end of the body', (t) => {
  const step = exactLength(5)
  const seen: string[] = []
  const see = (bytes: Buffer): void => void seen.push(bytes.toString())
  step.piece(Buffer.from('hel'), see)
  step.piece(Buffer.from('lo'), see)
  t.same(seen, ['hel'])
  step.end(see)
  t.same(seen, ['hel', 'lo'])
  t.end()
})
