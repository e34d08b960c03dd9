import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { ChunkReader } from '../../src/http1/chunks.js'
import { Malformed } from '../../src/http1/malformed.js'

interface Read {
  readonly body: string
  readonly isWhole: boolean
  /** Of the pieces together, that belong to the body. */
  readonly length: number
  readonly fault: string
}

function read(pieces: readonly string[]): Read {
  const reader = new ChunkReader()
  let body = ''
  let length = 0
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1')
      length += reader.read(bytes, 0, (part) => (body += part.toString('latin1')))
      if (reader.isWhole) break
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { body, isWhole: reader.isWhole, length, fault: error.message }
  }
  return { body, isWhole: reader.isWhole, length, fault: 'none' }
}

const chunk = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.constantFrom('', ';a', ';a=b', ';a="b; c\\""', ';a;b=c'),
    fc.boolean(),
  )
  .map(([bytes, extension, isPadded]) => {
    const size = bytes.length.toString(16)
    const body = Buffer.from(bytes).toString('latin1')
    return { body, text: `${isPadded ? '00' : ''}${size}${extension}\r\n${body}\r\n` }
  })
const coded = fc
  .tuple(
    fc.array(chunk, { maxLength: 5 }),
    fc.constantFrom('0', '000', '0;x=y'),
    fc.constantFrom('', 'T: x\r\n', 'a:\r\nb: \xff\r\n'),
  )
  .map(([chunks, last, trailer]) => ({
    body: chunks.map(({ body }) => body).join(''),
    text: `${chunks.map(({ text }) => text).join('')}${last}\r\n${trailer}\r\n`,
  }))

t.test('what was coded is read, however it is split, and not a byte behind it', async () => {
  fc.assert(
    fc.property(
      coded,
      fc.array(fc.nat(400), { maxLength: 8 }),
      fc.constantFrom('', '\r\n', 'GET /'),
      (given, cuts, behind) => {
        const text = given.text + behind
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
        for (const pieces of [[text], text.split(''), at.slice(1).map((end, i) => text.slice(at[i], end))]) {
          const { body, isWhole, length, fault } = read(pieces)
          if (body !== given.body || !isWhole || fault !== 'none' || length !== given.text.length) return false
        }
        return true
      },
    ),
    { numRuns: runs(3_000) },
  )
})

t.test('cut short anywhere it is not whole', async () => {
  fc.assert(
    fc.property(coded, fc.nat(), ({ text }, at) => {
      const { isWhole, fault } = read([text.slice(0, at % text.length)])
      return !isWhole && fault === 'none'
    }),
    { numRuns: runs(3_000) },
  )
})

t.test('the line of a chunk, and its end', async (t) => {
  for (const text of [
    '',
    ' 5',
    '5 ',
    '+5',
    '-5',
    '0x5',
    'g',
    '5;',
    '5;=a',
    '5;a=',
    '5;a="b',
    '5;a b',
    '5;a="\0"',
    '1234567890123',
    '5\t;a',
    '5 ;a',
  ])
    t.not(read([`${text}\r\nhello\r\n0\r\n\r\n`]).fault, 'none', JSON.stringify(text))
  for (const text of [
    '5\nhello\r\n',
    '5\r\nhello\n',
    '5\r\nhello!\r\n',
    '5\r\nhello\r\r\n',
    '5\r\r\nhello\r\n',
    '5\r\nhell\r\n\r\n',
  ])
    t.not(read([`${text}0\r\n\r\n`]).fault, 'none', JSON.stringify(text))
  t.match(read([`5;a=${'b'.repeat(600)}`]), { fault: 'a line in its body is too long' }, 'before it has ended')
})

t.test('trailers are bounded, well-formed, and say nothing about how the body was to be read', async (t) => {
  const trailing = (...lines: string[]) => read([`0\r\n${lines.join('\r\n')}\r\n\r\n`]).fault
  t.equal(trailing('x-amz-checksum-crc32: AAAAAA=='), 'none')
  for (const line of ['Content-Length: 5', 'transfer-encoding: chunked', 'HOST: x'])
    t.equal(trailing('a: b', line), 'its trailer says how to read it')
  for (const line of ['a', 'a : b', ' a: b', ': b', 'a: b\n', 'a: \0'])
    t.not(trailing(line), 'none', JSON.stringify(line))
  t.equal(trailing(...Array.from({ length: 1000 }, () => 'abc: defg')), 'its trailer is too long')
  t.equal(trailing(`a: ${'b'.repeat(9000)}`), 'a line in its body is too long')
})
