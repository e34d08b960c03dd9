import fc from 'fast-check'
import t from 'tap'
import { AnswerFault, type AnswerHead } from '../../../src/upstream/lean/answer-head.js'
import { AnswerParser } from '../../../src/upstream/lean/answer-parser.js'

interface Read {
  readonly head: AnswerHead | 'none'
  readonly body: string
  /** `whole`, `followed` where bytes came behind it, `more` where it wants more, or the fault. */
  readonly end: string
}

/** Reads an answer given in pieces. */
function read(pieces: readonly string[], method = 'GET', isClosed = false): Read {
  let head: AnswerHead | 'none' = 'none'
  let body = ''
  let end = 'more'
  const parser = new AnswerParser(method, {
    onHead: (given) => (head = given),
    onBody: (piece) => (body += piece.toString('latin1')),
    onEnd: (how) => (end = how === 'clean' ? 'whole' : 'followed'),
  })
  try {
    for (const piece of pieces) parser.execute(Buffer.from(piece, 'latin1'))
    if (isClosed) end = parser.finish()
  } catch (error) {
    if (!(error instanceof AnswerFault)) throw error
    end = error.message
  }
  return { head, body, end }
}

const isFault = ({ end }: Read): boolean => !['whole', 'followed', 'more', 'cut'].includes(end)
const bytewise = (text: string): string[] => text.split('')

t.test('answers as stores send them, in one piece and byte by byte', async (t) => {
  for (const [text, expected] of [
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', { body: 'ok', framing: 2 }],
    ['HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', { body: '', framing: 0 }],
    ['HTTP/1.1 200 \r\ncontent-length:\t 3 \t\r\n\r\nabc', { body: 'abc', framing: 3 }],
    ['HTTP/1.1 204 No Content\r\nx: y\r\n\r\n', { body: '', framing: 'none' }],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n', { body: '', framing: 'none' }],
    ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', { body: 'x', framing: 1 }],
    [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x="y;\r z"\r\n'.replace('\r z', ' z') +
        '0123456789\r\n0\r\nx-trailer: 1\r\n\r\n',
      { body: 'abc0123456789', framing: 'chunked' },
    ],
    ['HTTP/1.1 200 OK\r\nx-amz-meta-a: \xc3\xa9\r\nContent-Length: 0\r\n\r\n', { body: '', framing: 0 }],
  ] as const) {
    for (const pieces of [[text], bytewise(text), [text.slice(0, 9), text.slice(9)]]) {
      const answer = read(pieces)
      t.equal(answer.end, 'whole', text)
      t.equal(answer.body, expected.body)
      t.equal(answer.head === 'none' ? 'none' : answer.head.framing, expected.framing)
    }
  }
})

t.test('headers have lower-case names, and repeated ones are joined', async (t) => {
  const { head } = read([
    'HTTP/1.1 206 Partial\r\nETag:"a"\r\nX-A: 1\r\nx-a:  2 3 \r\nEmpty:\r\nContent-Length: 0\r\n\r\n',
  ])
  if (head === 'none') return t.fail('no head')
  t.equal(head.status, 206)
  t.strictSame(
    [...head.fields],
    [
      ['etag', '"a"'],
      ['x-a', '1,2 3'],
      ['empty', ''],
      ['content-length', '0'],
    ],
  )
})

t.test('an answer to HEAD has no body, whatever it says', async (t) => {
  t.match(read(['HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'], 'HEAD'), { end: 'whole', body: '' })
  t.match(read(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'], 'HEAD'), { end: 'whole', body: '' })
  t.match(read(['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'], 'HEAD'), { end: 'followed', body: '' })
})

t.test('what could be read in two ways is an error: length and coding', async (t) => {
  for (const fields of [
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 2',
    'Content-Length: 2\r\nContent-Length: 2',
    'Content-Length: 2\r\nContent-Length: 3',
    'Content-Length: 2, 2',
    'Content-Length: +2',
    'Content-Length: -2',
    'Content-Length: 0x2',
    'Content-Length: 2 2',
    'Content-Length: ',
    'Content-Length: 2e0',
    'Content-Length: 9999999999999999',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: \x0bchunked',
    'Transfer-Encoding:',
  ]) {
    const answer = read([`HTTP/1.1 200 OK\r\n${fields}\r\n\r\nok`])
    t.ok(isFault(answer), `${JSON.stringify(fields)}: ${answer.end}`)
    t.equal(answer.body, '', 'nothing of it is passed on')
    t.equal(answer.head, 'none')
  }
  t.ok(isFault(read(['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'])), 'chunks in HTTP/1.0')
})

t.test('lines: no folding, no bare CR or LF, no blank before the colon, no odd bytes', async (t) => {
  for (const text of [
    'HTTP/1.1 200 OK\r\na: b\r\n c\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na : b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nab\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\rc\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\0\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na: b\x7f\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\na\xe9: b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length\t: 0\r\n\r\n',
    'HTTP/1.1 200 O\nK\r\nContent-Length: 0\r\n\r\n',
    ' HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n',
    'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n',
  ]) {
    t.ok(isFault(read([text])), JSON.stringify(text))
    t.ok(isFault(read(bytewise(text))), `${JSON.stringify(text)} byte by byte`)
  }
})

t.test('chunks: sizes, ends, extensions and trailers', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  for (const body of [
    'x\r\n',
    '\r\n',
    '-1\r\n',
    '+1\r\na',
    '0x1\r\na',
    ' 1\r\na',
    '1 \r\na',
    '1\na\r\n',
    '1\r\nab\r\n',
    '1\r\na\n0\r\n\r\n',
    '1\r\na0\r\n\r\n',
    'fffffffffffff\r\n',
    '1;\x00\r\na',
    '1;a\rb\r\na',
    `1;${'x'.repeat(600)}\r\na`,
    '0\r\nx y\r\n\r\n',
    '0\r\nx: \x00\r\n\r\n',
    '0\r\n x: y\r\n\r\n',
    `0\r\nx: ${'y'.repeat(9000)}\r\n\r\n`,
    `0\r\n${'x: y\r\n'.repeat(3000)}\r\n`,
  ]) {
    t.ok(isFault(read([head + body])), JSON.stringify(body.slice(0, 40)))
    t.ok(isFault(read(bytewise(head + body))), `${JSON.stringify(body.slice(0, 40))} byte by byte`)
  }
  t.match(read([`${head}1\r\na\r\n0\r\n`]), { end: 'more', body: 'a' }, 'the end of the trailer is the end')
})

t.test('limits: a head, its headers, interim answers', async (t) => {
  t.ok(isFault(read([`HTTP/1.1 200 OK\r\na: ${'x'.repeat(17_000)}\r\n\r\n`])))
  t.ok(isFault(read([`HTTP/1.1 200 OK\r\na: ${'x'.repeat(17_000)}`])), 'before its end is there')
  t.ok(isFault(read([`HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(2001)}\r\n`])))
  t.ok(isFault(read([`${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`])))
  t.equal(
    read([`${'HTTP/1.1 103 Early\r\na: b\r\n\r\n'.repeat(8)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`]).end,
    'whole',
  )
})

t.test('what was cut off is never whole', async (t) => {
  for (const text of [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
    '',
  ])
    t.equal(read([text], 'GET', true).end, 'cut', JSON.stringify(text))
  t.match(read(['HTTP/1.1 200 OK\r\n\r\nabc'], 'GET', true), { end: 'whole', body: 'abc', head: { framing: 'close' } })
})

t.test('what comes behind an answer belongs to nobody', async (t) => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  t.match(read([`${ok}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`]), { end: 'followed', body: 'ok' })
  t.match(read([ok, 'x']), { end: /follows it/, body: 'ok' })
  t.match(read(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\r\n']), { end: /follows it/ })
})

t.test('what becomes of the connection', async (t) => {
  const keepAlive = (fields: string, version = '1.1') => {
    const { head } = read([`HTTP/${version} 200 OK\r\nContent-Length: 0\r\n${fields}\r\n`])
    return head === 'none' ? head : head.keepAliveSeconds
  }
  t.same(keepAlive(''), Infinity)
  t.same(keepAlive('Connection: Close\r\n'), 0)
  t.same(keepAlive('Connection: x, close\r\n'), 0)
  t.same(keepAlive('Connection: x\r\nConnection: close\r\n'), 0)
  t.same(keepAlive('Connection: closed\r\n'), Infinity)
  t.same(keepAlive('Keep-Alive: timeout=5, max=100\r\n'), 5)
  t.same(keepAlive('', '1.0'), 0)
  t.same(keepAlive('Connection: keep-alive\r\n', '1.0'), Infinity)
})

t.test(
  'what becomes of the connection is what its two fields say, read plainly, however many answers came before',
  async () => {
    const plainly = (connection: string | null, limit: string | null, version: string) => {
      const tokens = (connection ?? '').toLowerCase().split(/[\t ]*,[\t ]*/)
      if (tokens.includes('close') || (version === '1.0' && !tokens.includes('keep-alive'))) return 0
      const [, seconds] = /(?:^|[,; \t])timeout=(\d{1,6})/i.exec(limit ?? '') ?? []
      return seconds === undefined ? Infinity : Number(seconds)
    }
    const connection = fc.constantFrom(
      'keep-alive',
      'Keep-Alive',
      'close',
      'x',
      'x, CLOSE',
      'a ,\tkeep-alive',
      'keep-alive,close',
      '',
    )
    const limit = fc.constantFrom(
      'timeout=5',
      'timeout=60, max=9',
      'Timeout=7',
      'max=3;timeout=0',
      'xtimeout=8',
      'timeout=x',
      '',
    )
    const answers = fc.array(fc.tuple(fc.option(connection), fc.option(limit), fc.constantFrom('1.1', '1.0')), {
      maxLength: 4,
    })
    const property = fc.property(answers, (all) =>
      all.every(([said, until, version]) => {
        const fields = [
          said === null ? '' : `Connection: ${said}\r\n`,
          until === null ? '' : `Keep-Alive: ${until}\r\n`,
        ]
        const { head } = read([`HTTP/${version} 200 OK\r\n${fields.join('')}Content-Length: 0\r\n\r\n`])
        return head !== 'none' && head.keepAliveSeconds === plainly(said, until, version)
      }),
    )
    fc.assert(property, { numRuns: 500 })
  },
)

t.test('however it is cut into pieces, it is read as the same', async () => {
  const field = fc.constantFrom(
    'Content-Length: 5',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'A: b',
    'a : b',
    'x',
    ' folded',
  )
  const body = fc.constantFrom(
    'hello',
    '5\r\nhello\r\n0\r\n\r\n',
    '5;a=b\r\nhello\r\n0\r\na: b\r\n\r\n',
    '5\r\nhelloX',
    'zz\r\n',
    '',
  )
  fc.assert(
    fc.property(
      fc.array(field, { maxLength: 4 }),
      body,
      fc.constantFrom('GET', 'HEAD'),
      fc.array(fc.nat(120), { maxLength: 6 }),
      (fields, content, method, cuts) => {
        const text = `HTTP/1.1 200 OK\r\n${fields.map((one) => `${one}\r\n`).join('')}\r\n${content}`
        const places = [0, ...new Set(cuts.filter((cut) => cut < text.length))].sort((a, b) => a - b)
        const pieces = places.map((from, i) => text.slice(from, places[i + 1] ?? text.length))
        const [whole, cut] = [read([text], method), read(pieces, method)]
        // bytes behind the end are seen where they come with it, and are a fault where they come later
        const isLate = whole.end === 'followed'
        return (
          whole.body === cut.body &&
          JSON.stringify(whole.head) === JSON.stringify(cut.head) &&
          (isLate || isFault(whole) === isFault(cut))
        )
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('no head takes long to read', async (t) => {
  const blanks = ' '.repeat(16_000)
  const began = performance.now()
  for (let i = 0; i < 20; i += 1) {
    t.equal(read([`HTTP/1.1 200 OK\r\nConnection: a${blanks}b\r\nContent-Length: 0\r\n\r\n`]).end, 'whole')
  }
  t.ok(performance.now() - began < 800, `${performance.now() - began} ms`)
})
