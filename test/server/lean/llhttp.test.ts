import fc from 'fast-check'
import t from 'tap'
import { fieldLines } from '../../../src/s3/fields.js'
import { HTTPParser, methods } from '../../support/llhttp.js'
import { runs } from '../../support/runs.js'
import { type ReadRequest, readRequests } from './read-requests.js'

// Our reader of requests beside llhttp, node's own, on the same bytes: what ours takes whole, llhttp takes and reads as the same, up to
// where ours stops; ours may be stricter.

function llhttp(text: string): { readonly requests: readonly ReadRequest[]; readonly isFault: boolean } {
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.REQUEST, {})
  const requests: { method: string; target: string; headers: readonly string[]; body: string; isWhole: boolean }[] = []
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    rawHeaders: readonly string[] | undefined,
    method: number,
    target: string,
  ): number => {
    requests.push({
      method: methods[method] as string,
      target,
      headers: fieldLines(rawHeaders ?? []),
      body: '',
      isWhole: false,
    })
    return 0
  }
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    requests.at(-1)!.body += piece.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    requests.at(-1)!.isWhole = true
  }
  const result = parser.execute(Buffer.from(text, 'latin1'))
  return { requests, isFault: result instanceof Error }
}

const LINES = [
  'GET /a HTTP/1.1',
  'PUT /b?c=d&e HTTP/1.1',
  'HEAD /% HTTP/1.0',
  'OPTIONS * HTTP/1.1',
  'GET http://x/y HTTP/1.1',
  'POST / HTTP/1.1',
]
const FIELDS = [
  'Host: x',
  'Content-Length: 5',
  'Content-Length: 0',
  'content-length:5',
  'Content-Length: 05',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Transfer-Encoding: chunked',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'A: b',
  'A:\t b \t',
  'a : b',
  ' folded',
  '\tfolded',
  ': x',
  'x',
  'X-A: \x80\xff',
  'X-A: a\0',
  'X-A: a\rb',
  'X-A: a\nHost: y',
]
const BODIES = [
  'hello',
  '5\r\nhello\r\n',
  '5;x=y\r\nhello\r\n',
  '5;x="y z\\""\r\nhello\r\n',
  '5;x="\x80"\r\nhello\r\n',
  '5;\r\nhello\r\n',
  '5;x=\r\nhello\r\n',
  '5;x y\r\nhello\r\n',
  '05\r\nhello\r\n',
  '5 \r\nhello\r\n',
  '5 ;x\r\nhello\r\n',
  '0\r\n\r\n',
  '0\r\nT: x\r\n\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\r\nT : x\r\n\r\n',
  '1\r\nab\r\n',
  '\r\n',
  '\n',
  '\r',
]

/** Mostly shaped like requests, so that the fuzzer gets past the first line. */
const request = fc
  .tuple(
    fc.constantFrom(...LINES),
    fc.array(fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...FIELDS) }, fc.string({ maxLength: 5 })), {
      maxLength: 4,
    }),
    fc.array(fc.constantFrom(...BODIES), { maxLength: 3 }),
  )
  .map(([line, fields, body]) => `${[line, ...fields].join('\r\n')}\r\n\r\n${body.join('')}`)
const noise = fc.array(
  fc.oneof(
    fc.constantFrom(...LINES, ...FIELDS, ...BODIES, '\r\n', '\r\n\r\n'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  ),
  { maxLength: 10 },
)
/** Good ones, as far as llhttp takes the odder chunks; several of them are a pipeline. */
const harmless = fc.array(fc.constantFrom('A: b', 'A:\t b \t', 'X-A: \x80\xff', 'Connection: keep-alive', 'a:'), {
  maxLength: 2,
})
const framed = fc.oneof(
  fc.constant(['Content-Length: 5', 'hello']),
  fc.constant(['Content-Length: 0', '']),
  fc.constant(['B: c', '']),
  fc
    .array(fc.constantFrom(...BODIES.slice(1, 9)), { maxLength: 2 })
    .chain((chunks) =>
      fc
        .constantFrom('0\r\n\r\n', '0\r\nT: x\r\n\r\n', '000;a\r\n\r\n')
        .map((end) => ['Transfer-Encoding: chunked', chunks.join('') + end]),
    ),
)
const good = fc
  .tuple(fc.constantFrom(...LINES), harmless, framed)
  .map(([line, fields, [framing, body]]) => `${[line, 'Host: x', ...fields, framing].join('\r\n')}\r\n\r\n${body}`)
/** A good request with one byte of it changed: every rule is met at its edge. */
const spoiled = fc
  .tuple(fc.oneof(request, good), fc.nat(), fc.integer({ min: 0, max: 255 }))
  .map(
    ([text, at, code]) =>
      text.slice(0, at % text.length) + String.fromCharCode(code) + text.slice((at % text.length) + 1),
  )
const bytes = fc
  .oneof(
    { weight: 4, arbitrary: fc.array(good, { minLength: 1, maxLength: 3 }).map((all) => all.join('')) },
    { weight: 3, arbitrary: fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => all.join('')) },
    { weight: 4, arbitrary: spoiled },
    { weight: 1, arbitrary: noise.map((all) => all.join('')) },
  )
  .map((text) => Buffer.from(text, 'latin1').toString('latin1'))

t.test('what ours takes, llhttp takes, and reads as the same', async (t) => {
  let taken = 0
  let refused = 0
  fc.assert(
    fc.property(bytes, (text) => {
      const mine = readRequests([text])
      const theirs = llhttp(text)
      if (mine.fault !== 'none') refused += 1
      const whole = mine.requests.filter(({ isWhole }) => isWhole)
      taken += whole.length
      for (const [i, one] of whole.entries()) {
        const other = theirs.requests[i]
        if (JSON.stringify(one) !== JSON.stringify(other)) return false
      }
      // Ours judges a line when it is whole, llhttp at its first wrong byte; but what ours calls whole, nothing may follow in doubt.
      return mine.fault !== 'none' || theirs.isFault || theirs.requests.length === mine.requests.length
    }),
    { numRuns: runs(40_000) },
  )
  t.ok(taken > 2_000 && refused > 2_000, `${taken} whole requests and ${refused} refusals were among them`)
})

t.test('however the bytes are split, the same requests are read', async () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(300), { maxLength: 6 }), (text, cuts) => {
      const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
      const split = readRequests(at.slice(1).map((end, i) => text.slice(at[i], end)))
      const bytewise = readRequests(text.split(''))
      const once = readRequests([text])
      const key = ({ requests, fault }: typeof once) =>
        JSON.stringify([requests.filter(({ isWhole }) => isWhole), fault !== 'none'])
      return key(split) === key(once) && key(bytewise) === key(once)
    }),
    { numRuns: runs(10_000) },
  )
})
