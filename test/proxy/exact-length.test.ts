import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import { S3Error } from '../../src/s3/error.js'
import { exactLength } from '../../src/proxy/exact-length.js'

async function through(pieces: readonly string[], length: number) {
  let passed = ''
  const sink = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) passed += chunk.toString()
  }
  const result = await pipeline(
    Readable.from(pieces.map((piece) => Buffer.from(piece))),
    exactLength(length),
    sink,
  ).then(
    () => 'whole',
    (error: unknown) => (error instanceof S3Error ? error.code : 'another error'),
  )
  return { result, passed }
}

t.test('a body of the declared length passes byte for byte, however it is cut', async (t) => {
  const pieces = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(pieces, async (cut) => {
      const body = cut.join('')
      t.strictSame(await through(cut, body.length), { result: 'whole', passed: body })
    }),
    { numRuns: 50 },
  )
})

t.test('one byte more or fewer: an error, and never the whole declared length', async (t) => {
  for (const pieces of [['hello', '!'], ['hell', 'o!'], ['hello!'], ['h', 'e', 'l', 'l', 'o', '!']]) {
    const { result, passed } = await through(pieces, 5)
    t.equal(result, 'IncompleteBody')
    t.ok(passed.length < 5, `the upstream must not have all it waits for: ${passed}`)
  }
  for (const pieces of [['hell'], [], ['h', 'e']]) {
    t.equal((await through(pieces, 5)).result, 'IncompleteBody')
  }
  t.same(await through(['x'], 0), { result: 'IncompleteBody', passed: '' })
  t.same(await through([], 0), { result: 'whole', passed: '' })
})

t.test('the last piece waits for the end of the body', async (t) => {
  const stream = exactLength(5)
  const seen: string[] = []
  stream.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  stream.write('hel')
  stream.write('lo')
  await new Promise((resolve) => setImmediate(resolve))
  t.same(seen, ['hel'])
  stream.end()
  await new Promise((resolve) => stream.once('end', resolve))
  t.same(seen, ['hel', 'lo'])
})
