import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { chunkParser } from '../../src/sigv4/chunk-parser.js'
import { unsignedChunks } from '../support/aws-chunked.js'
import { codeOf, errorOf } from './examples.js'

const signature = 'ab'.repeat(32)

function parse(pieces: readonly Buffer[], decodedLength: number, signed = false) {
  const log: string[] = []
  const data: Buffer[] = []
  const parser = chunkParser(
    { signed, decodedLength },
    {
      begin: (size, provided) => void log.push(`begin ${size} ${provided}`),
      data: (bytes) => void data.push(bytes),
      end: () => void log.push('end'),
    },
  )
  for (const piece of pieces) parser.write(piece)
  return { section: parser.finish(), log, data: Buffer.concat(data) }
}

const text = (value: string, decodedLength: number, signed = false) =>
  parse([Buffer.from(value, 'latin1')], decodedLength, signed)

t.test('events in the order of the body', (t) => {
  const body = `2000;chunk-signature=${signature}\r\n${'x'.repeat(8192)}\r\n0;chunk-signature=${signature}\r\nrest\r\n\r\n`
  const parsed = text(body, 8192, true)
  t.same(parsed.log, [`begin 8192 ${signature}`, 'end', `begin 0 ${signature}`])
  t.equal(parsed.data.length, 8192)
  t.equal(parsed.section, 'rest\r\n\r\n')
  t.same(text('0\r\n\r\n', 0).log, ['begin 0 none'])
  t.same(text('0003\r\nabc\r\n000\r\n\r\n', 3).log, ['begin 3 none', 'end', 'begin 0 none'])
  t.end()
})

t.test('however the body is cut into pieces', (t) => {
  const input = fc.record({
    body: fc.uint8Array({ minLength: 0, maxLength: 40_000, size: 'max' }),
    chunkSize: fc.integer({ min: 8192, max: 20_000 }),
    cuts: fc.array(fc.nat(45_000), { maxLength: 40 }),
  })
  fc.assert(
    fc.property(input, ({ body, chunkSize, cuts }) => {
      const framed = unsignedChunks({ body: Buffer.from(body), chunkSize })
      const at = [0, ...cuts.filter((cut) => cut < framed.length), framed.length].sort((a, b) => a - b)
      const parsed = parse(
        at.slice(1).map((end, i) => framed.subarray(at[i], end)),
        body.length,
      )
      return parsed.data.equals(body) && parsed.section === '\r\n'
    }),
    { numRuns: 100 },
  )
  const framed = unsignedChunks({ body: Buffer.from('hello'), chunkSize: 9000 })
  const single = [...framed].map((byte) => Buffer.from([byte]))
  t.equal(parse(single, 5).data.toString(), 'hello', 'byte by byte')
  t.end()
})

/** What a body of aws-chunked says, read as a whole, the plain way: the data and what follows, or the code of a refusal. */
function readPlainly(body: string, decodedLength: number, signed: boolean): readonly string[] {
  const form = signed ? /^([0-9a-f]{1,16});chunk-signature=([0-9a-f]{64})\r\n/i : /^([0-9a-f]{1,16})\r\n/i
  let data = ''
  let last = 8192
  for (let rest = body; ;) {
    const [header, hex = ''] = form.exec(rest) ?? []
    if (header === undefined) return ['IncompleteBody']
    const size = Number.parseInt(hex, 16)
    if (size > 0 && last < 8192) return ['InvalidChunkSizeError']
    if (data.length + size > decodedLength) return ['IncompleteBody']
    const behind = rest.slice(header.length)
    if (size === 0) return data.length === decodedLength ? [data, behind] : ['IncompleteBody']
    if (behind.slice(size, size + 2) !== '\r\n') return ['IncompleteBody']
    ;[data, rest, last] = [data + behind.slice(0, size), behind.slice(size + 2), size]
  }
}

t.test('the same as read as a whole, of bodies good and broken, however they are cut', (t) => {
  const chunk = fc.record({
    size: fc.oneof(
      { weight: 1, arbitrary: fc.nat(20) },
      { weight: 4, arbitrary: fc.integer({ min: 8190, max: 8300 }) },
    ),
    digits: fc.constantFrom('', '0', '00000000000'),
    upper: fc.boolean(),
  })
  const byte = fc.constantFrom(
    '\r',
    '\n',
    ';',
    '=',
    '-',
    '0',
    '1',
    'f',
    'G',
    'x',
    '\x1b',
    '\x0d\x0a',
    '',
    'chunk-signature',
  )
  const input = fc.record({
    signed: fc.boolean(),
    chunks: fc.array(chunk, { maxLength: 3 }),
    off: fc.constantFrom(0, 0, 0, 1, -1),
    breaks: fc.array(fc.record({ at: fc.nat(26_000), byte, near: fc.boolean() }), { maxLength: 2 }),
    cuts: fc.array(fc.nat(26_000), { maxLength: 30 }),
  })
  let good = 0
  fc.assert(
    fc.property(input, ({ signed, chunks, off, breaks, cuts }) => {
      let body = ''
      for (const { size, digits, upper } of [...chunks, { size: 0, digits: '', upper: false }]) {
        const hex = `${digits}${size.toString(16)}${signed ? `;chunk-signature=${signature}` : ''}`
        body += `${upper ? hex.toUpperCase() : hex}\r\n${'d'.repeat(size)}${size > 0 ? '\r\n' : ''}`
      }
      body += '\r\n'
      const length = Math.max(0, chunks.reduce((sum, { size }) => sum + size, 0) + off)
      for (const { at, byte: put, near } of breaks) {
        const place = near ? at % 100 : at % body.length
        body = body.slice(0, place) + put + body.slice(place + 1)
      }
      const bytes = Buffer.from(body, 'latin1')
      const at = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b)
      const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end))
      const expected = readPlainly(body, length, signed)
      let outcome: readonly string[] = []
      const code = codeOf(() => {
        const { data, section } = parse(pieces, length, signed)
        outcome = [data.toString('latin1'), section]
      })
      if (code === 'none') good++
      return JSON.stringify(code === 'none' ? outcome : [code]) === JSON.stringify(expected)
    }),
    { numRuns: runs(3000) },
  )
  // Some two in five are.
  t.ok(good > runs(3000) / 5, `${good} of ${runs(3000)} were good`)
  t.end()
})

t.test('framing that makes no sense', (t) => {
  const cases: readonly (readonly [body: string, decodedLength: number])[] = [
    ['', 0],
    ['3\r\nabc\r\n', 3],
    ['3\r\nabc', 3],
    ['3\r\nab', 3],
    ['4\r\nabc\r\n0\r\n\r\n', 4],
    ['2\r\nabc\r\n0\r\n\r\n', 2],
    ['3\r\nabc\r\n0\r\n\r\n', 4],
    ['3\r\nabc\r\n0\r\n\r\n', 2],
    ['3\r\nabcX\n0\r\n\r\n', 3],
    ['3\r\nabc\n0\r\n\r\n', 3],
    ['3\r\nabc\rX0\r\n\r\n', 3],
    ['3\nabc\r\n0\r\n\r\n', 3],
    ['-3\r\nabc\r\n0\r\n\r\n', 3],
    ['+3\r\nabc\r\n0\r\n\r\n', 3],
    ['0x3\r\nabc\r\n0\r\n\r\n', 3],
    [' 3\r\nabc\r\n0\r\n\r\n', 3],
    ['3 \r\nabc\r\n0\r\n\r\n', 3],
    ['\r\nabc\r\n0\r\n\r\n', 3],
    ['3;ext=1\r\nabc\r\n0\r\n\r\n', 3],
    [`3;chunk-signature=${signature}\r\nabc\r\n0\r\n\r\n`, 3],
    ['ffffffffffffffff\r\nabc', 3],
    ['ffffffffffffffffffff\r\nabc', 3],
    ['g\r\nabc', 3],
    ['hello world', 11],
  ]
  for (const [body, length] of cases) {
    t.equal(
      codeOf(() => text(body, length)),
      'IncompleteBody',
      JSON.stringify([body, length]),
    )
  }
  for (const header of [
    '3',
    '3;',
    '3;chunk-signature=',
    `3;chunk-signature=${signature.slice(1)}`,
    `3;a=b;chunk-signature=${signature}`,
  ]) {
    t.equal(
      codeOf(() => text(`${header}\r\nabc\r\n`, 3, true)),
      'IncompleteBody',
      header,
    )
  }
  t.end()
})

t.test('only the last chunk may be small', (t) => {
  t.match(
    errorOf(() => text('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 6)),
    { code: 'InvalidChunkSizeError', extra: { Chunk: '2', BadChunkSize: '5' } },
  )
  const large = 'x'.repeat(8192)
  t.equal(text(`2000\r\n${large}\r\n1\r\n!\r\n0\r\n\r\n`, 8193).data.length, 8193)
  t.end()
})

t.test('no line and no trailer section is gathered without bound', (t) => {
  const endless = (first: string, decodedLength: number): readonly [code: string, taken: number] => {
    const parser = chunkParser(
      { signed: false, decodedLength },
      { begin: () => undefined, data: () => undefined, end: () => undefined },
    )
    parser.write(Buffer.from(first))
    let taken = 0
    const code = codeOf(() => {
      for (; taken < 1_000_000; taken += 100) parser.write(Buffer.alloc(100, 0x30))
    })
    return [code, taken]
  }
  const [header, headerBytes] = endless('0', 1)
  t.equal(header, 'IncompleteBody')
  t.ok(headerBytes <= 300)
  const [section, sectionBytes] = endless('0\r\n', 0)
  t.equal(section, 'MalformedTrailerError')
  t.ok(sectionBytes <= 4200)
  t.equal(endless('1\r\nx', 1)[0], 'IncompleteBody', 'delimiter')
  t.end()
})

t.test('data is handed on as views, not gathered', (t) => {
  const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(100_000)])
  let seen = 0
  const parser = chunkParser(
    { signed: false, decodedLength: 0x100000 },
    {
      begin: () => undefined,
      data: (bytes) => {
        t.equal(bytes.buffer, piece.buffer)
        seen += bytes.length
      },
      end: () => undefined,
    },
  )
  parser.write(piece)
  t.equal(seen, 100_000)
  t.end()
})
