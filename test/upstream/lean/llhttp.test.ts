import fc from 'fast-check'
import t from 'tap'
import { HTTPParser } from '../../support/llhttp.js'
import { runs } from '../../support/runs.js'
import { fieldsOf } from '../../../src/s3/fields.js'
import { AnswerFault } from '../../../src/upstream/lean/answer-head.js'
import { AnswerParser } from '../../../src/upstream/lean/answer-parser.js'

// Our parser beside llhttp, node's own, on the same bytes: whatever ours takes, llhttp takes too and reads as the same; what llhttp
// refuses, ours gives nobody as whole. The other way round ours may be stricter.

interface Read {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  readonly isWhole: boolean
  readonly isFault: boolean
}

function llhttp(text: string, method: string): Read {
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.RESPONSE, {})
  let status = 0
  let headers: readonly string[] = []
  let body = ''
  let isWhole = false
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    rawHeaders: readonly string[] | undefined,
    _method: unknown,
    _url: unknown,
    code: number,
  ): number => {
    if (code < 200 || isWhole) return 0
    status = code
    headers = [...fieldsOf(rawHeaders ?? [])].flat()
    return method === 'HEAD' ? 1 : 0
  }
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    if (!isWhole) body += piece.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (status !== 0) isWhole = true
  }
  const result = parser.execute(Buffer.from(text, 'latin1'))
  return { status, headers, body, isWhole, isFault: result instanceof Error && !isWhole }
}

function ours(text: string, method: string): Read {
  let status = 0
  let headers: readonly string[] = []
  let body = ''
  let isWhole = false
  const parser = new AnswerParser(method, {
    onHead: (head) => {
      status = head.status
      headers = [...head.fields].flat()
    },
    onBody: (piece) => (body += piece.toString('latin1')),
    onEnd: () => (isWhole = true),
  })
  try {
    parser.execute(Buffer.from(text, 'latin1'))
  } catch (error) {
    if (!(error instanceof AnswerFault)) throw error
    return { status, headers, body, isWhole, isFault: true }
  }
  return { status, headers, body, isWhole, isFault: false }
}

const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 204 No Content',
      'HTTP/1.1 304 Not Modified',
      'HTTP/1.1 100 Continue',
      'HTTP/1.0 200 OK',
      'HTTP/1.1 200',
      '\r\n',
      '\r\n\r\n',
      '\n',
      '\r',
      'Content-Length: 5',
      'Content-Length: 0',
      'content-length:5',
      'Content-Length: 5, 5',
      'Content-Length: +5',
      'Transfer-Encoding: chunked',
      'transfer-encoding: CHUNKED',
      'Transfer-Encoding: gzip, chunked',
      'Transfer-Encoding: identity',
      'Connection: close',
      'Connection: keep-alive',
      'A: b',
      'a : b',
      ' folded',
      '\tfolded',
      ': x',
      'x',
      'Set-Cookie: \x80',
      '\0',
      '5\r\nhello\r\n',
      '5;x=y\r\nhello\r\n',
      '05\r\nhello\r\n',
      '5 \r\nhello\r\n',
      '0\r\n\r\n',
      '0\r\nT: x\r\n\r\n',
      '1\r\nab\r\n',
      'hello',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
)

/** Mostly shaped like an answer, so that the fuzzer gets past the first line. */
const answer = fc
  .tuple(
    fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200',
      'HTTP/1.1 404 Not Found',
      'HTTP/1.1 204 No Content',
      'HTTP/1.0 200 OK',
    ),
    fc.array(piece, { maxLength: 4 }),
    fc.array(piece, { maxLength: 4 }),
  )
  .map(([first, fields, body]) => `${[first, ...fields].join('\r\n')}\r\n\r\n${body.join('')}`)

t.test('what ours takes, llhttp takes, and reads as the same', async (t) => {
  let taken = 0
  fc.assert(
    fc.property(
      fc.oneof(
        answer,
        fc.array(piece, { maxLength: 8 }).map((all) => all.join('')),
      ),
      fc.constantFrom('GET', 'HEAD'),
      (text, method) => {
        const [mine, theirs] = [ours(text, method), llhttp(text, method)]
        if (mine.isFault) return true
        if (mine.isWhole) taken += 1
        if (mine.status === 0) return theirs.status === 0 || !theirs.isFault
        // ours judges a line when it is whole, llhttp at its first wrong byte
        if (theirs.isFault) return !mine.isWhole
        return (
          mine.status === theirs.status &&
          JSON.stringify(mine.headers) === JSON.stringify(theirs.headers) &&
          mine.body === theirs.body &&
          mine.isWhole === theirs.isWhole
        )
      },
    ),
    { numRuns: runs(20_000) },
  )
  t.ok(taken > runs(500), `${taken} whole answers were among them`)
})

t.test('what llhttp refuses, ours never gives as a whole answer', async (t) => {
  let refused = 0
  fc.assert(
    fc.property(answer, fc.constantFrom('GET', 'HEAD'), (text, method) => {
      const theirs = llhttp(text, method)
      if (!theirs.isFault) return true
      refused += 1
      return !ours(text, method).isWhole
    }),
    { numRuns: runs(20_000) },
  )
  t.ok(refused > 500, `${refused} refusals were among them`)
})
