import t from 'tap'
import { MAX_HEAD } from '../../../src/server/lean/head-buffer.js'
import { Malformed } from '../../../src/http1/malformed.js'
import { type RequestHead, parseRequestHead } from '../../../src/server/lean/request-head.js'
import { linesOf } from '../../http1/lines-of.js'
import { readRequests } from './read-requests.js'

const parse = (...lines: string[]): RequestHead | string => {
  try {
    return parseRequestHead(linesOf(`${lines.join('\r\n')}\r\n`))
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return error.message
  }
}
const isGood = (...lines: string[]): boolean => typeof parse(...lines) !== 'string'
const codes = Array.from({ length: 256 }, (_, code) => code)
/** The bytes that `make` may hold. */
const taken = (make: (byte: string) => readonly string[]): string =>
  codes
    .map((code) => String.fromCharCode(code))
    .filter((byte) => isGood(...make(byte)))
    .join('')
const range = (from: number, to: number): string =>
  codes
    .slice(from, to + 1)
    .map((code) => String.fromCharCode(code))
    .join('')
const sorted = (text: string): string => text.split('').sort().join('')
const TOKEN = sorted(`!#$%&'*+-.^_\`|~${range(0x30, 0x39)}${range(0x41, 0x5a)}${range(0x61, 0x7a)}`)

t.test('every byte, in each place of a head', async (t) => {
  t.equal(
    taken((byte) => [`G${byte}T / HTTP/1.1`, 'Host: x']),
    'E',
    'in a method: those of methods',
  )
  t.equal(
    taken((byte) => [`${byte}GET / HTTP/1.1`, 'Host: x']),
    '',
    'before a method',
  )
  t.equal(
    taken((byte) => [`GET${byte}/ HTTP/1.1`, 'Host: x']),
    ' ',
    'behind a method',
  )
  t.equal(
    taken((byte) => [`GET /a${byte}b HTTP/1.1`, 'Host: x']),
    range(0x21, 0x7e),
    'in a target',
  )
  t.equal(
    taken((byte) => [`GET ${byte}a HTTP/1.1`, 'Host: x']),
    '/',
    'at the beginning of a target',
  )
  t.equal(
    taken((byte) => [`GET /${byte}HTTP/1.1`, 'Host: x']),
    ' ',
    'behind a target',
  )
  t.equal(
    taken((byte) => [`GET / HTTP${byte}1.1`, 'Host: x']),
    '/',
  )
  t.equal(
    taken((byte) => [`GET / HTTP/${byte}.1`, 'Host: x']),
    '1',
  )
  t.equal(
    taken((byte) => [`GET / HTTP/1${byte}1`, 'Host: x']),
    '.',
  )
  t.equal(
    taken((byte) => [`GET / HTTP/1.${byte}`, 'Host: x']),
    '01',
  )
  t.equal(
    taken((byte) => [`GET / HTTP/1.1${byte}`, 'Host: x']),
    '',
    'behind a version',
  )
  t.equal(
    sorted(taken((byte) => ['GET / HTTP/1.1', 'Host: x', `a${byte}b: c`])),
    sorted(`${TOKEN}:`),
    'in a name: token characters, or the colon that ends it',
  )
  t.equal(sorted(taken((byte) => ['GET / HTTP/1.1', 'Host: x', `${byte}: c`])), TOKEN, 'as a name')
  t.equal(
    taken((byte) => ['GET / HTTP/1.1', 'Host: x', `a${byte}c`]),
    ':',
    'as a colon',
  )
  t.equal(
    taken((byte) => ['GET / HTTP/1.1', 'Host: x', `a:${byte}`]),
    `\t${range(0x20, 0x7e)}${range(0x80, 0xff)}`,
    'in a value',
  )
  t.equal(
    taken((byte) => ['GET / HTTP/1.1', 'Host: x', `Content-Length: ${byte}`]),
    range(0x30, 0x39),
  )
})

t.test('names come in lower case, values as they were sent, without white space around them', async (t) => {
  const head = parse('PUT /a//b?c=%2F HTTP/1.1', 'HOST:x', 'X-A:  1 \t 2\t', 'x-a:', 'B: \xc3\xa9')
  t.match(head, {
    method: 'PUT',
    target: '/a//b?c=%2F',
    fieldLines: ['host', 'x', 'x-a', '1 \t 2', 'x-a', '', 'b', '\xc3\xa9'],
    framing: 0,
    keepsAlive: true,
  })
})

t.test('targets', async (t) => {
  for (const target of ['/', '/?', '*', 'http://x', 'HTTP://x/y?z', 'https://x/'])
    t.ok(isGood(`GET ${target} HTTP/1.1`, 'Host: x'), target)
  for (const target of ['', 'a', '**', '?', 'x:443', 'ftp://x/', 'http:/x', 'http:///x', '//x /', '#'])
    t.notOk(isGood(`GET ${target} HTTP/1.1`, 'Host: x'), target)
})

t.test('versions', async (t) => {
  for (const version of ['HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/3.0'])
    t.equal(parse(`GET / ${version}`, 'Host: x'), 'HTTP version not supported')
  for (const version of ['HTTP/1.10', 'HTTP/01.1', 'HTTP/1', 'http/1.1', 'HTTP/1.1 ', 'HTTP /1.1', ''])
    t.equal(parse(`GET / ${version}`, 'Host: x'), 'the request line', version)
})

t.test('how a body ends', async (t) => {
  const framing = (...fields: string[]) => {
    const head = parse('PUT / HTTP/1.1', 'Host: x', ...fields)
    return typeof head === 'string' ? head : head.framing
  }
  t.equal(framing(), 0)
  t.equal(framing('content-LENGTH: 12'), 12)
  t.equal(framing('Content-Length: 000012'), 12)
  t.equal(framing('Content-Length: 999999999999999'), 999_999_999_999_999)
  t.equal(framing('Content-Length: 9999999999999999'), 'Content-Length is not a number')
  t.equal(framing('Transfer-Encoding: Chunked'), 'chunked')
  for (const coding of [
    '',
    'gzip',
    'chunked, chunked',
    'chunked,',
    'x-chunked',
    'chunked;a=b',
    '"chunked"',
    'identity',
  ])
    t.equal(framing(`Transfer-Encoding: ${coding}`), 'Transfer-Encoding is not chunked', coding)
  t.equal(framing('Transfer-Encoding: chunked', 'Content-Length: 0'), 'both Content-Length and Transfer-Encoding')
  t.equal(framing('Content-Length: 1', 'CONTENT-LENGTH: 1'), 'more than one Content-Length')
  t.equal(parse('PUT / HTTP/1.0', 'Transfer-Encoding: chunked'), 'Transfer-Encoding in HTTP/1.0')
})

t.test('whether the connection is kept', async (t) => {
  const kept = (version: string, ...fields: string[]) =>
    (parse(`GET / HTTP/${version}`, 'Host: x', ...fields) as RequestHead).keepsAlive
  for (const value of ['close', 'Close', 'TE, close', 'close,TE', 'keep-alive, close', ' x ,\tCLOSE '])
    t.equal(kept('1.1', `Connection: ${value}`), false, value)
  t.equal(kept('1.1', 'Connection: keep-alive', 'connection: close'), false, 'in two fields')
  for (const value of ['', 'keep-alive', 'closed', 'TE', 'not close'])
    t.equal(kept('1.1', `Connection: ${value}`), true, value)
  t.equal(kept('1.0'), false)
  t.equal(kept('1.0', 'Connection: Keep-Alive'), true)
  t.equal(kept('1.0', 'Connection: keep-alive'), true)
  t.equal(kept('1.0', 'Connection: TE, Keep-Alive'), true)
  t.equal(kept('1.0', 'Connection: keep-alive, close'), false)
})

t.test('what a client waits for', async (t) => {
  const expects = (version: string, ...fields: string[]) =>
    (parse(`PUT / HTTP/${version}`, 'Host: x', ...fields) as RequestHead).expects
  t.equal(expects('1.1', 'Content-Length: 1', 'Expect: 100-Continue'), 'continue')
  t.equal(expects('1.1', 'Transfer-Encoding: chunked', 'expect: 100-continue'), 'continue')
  t.equal(expects('1.1', 'Content-Length: 0', 'Expect: 100-continue'), 'nothing', 'there is no body to wait with')
  t.equal(expects('1.1', 'Content-Length: 1', 'Expect: 100-continue', 'Expect: 100-continue'), 'unknown')
  t.equal(expects('1.1', 'Expect: '), 'unknown')
  t.equal(expects('1.0', 'Content-Length: 1', 'Expect: x'), 'nothing')
})

t.test('one empty line before a request is let pass, and no more', async (t) => {
  const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  for (const pieces of [[`\r\n${GET}`], ['\r', `\n${GET}`], ['\r\n', GET], `\r\n${GET}`.split('')]) {
    t.match(readRequests(pieces), { requests: [{ target: '/', isWhole: true }], fault: 'none' })
  }
  for (const before of ['\n', '\r', '\r\n\r\n', '\n\r\n', ' ', '\r\n '])
    t.not(readRequests([before + GET]).fault, 'none')
})

t.test('heads up to the limit, and not a byte longer, in one piece and in many', async (t) => {
  const before = 'GET / HTTP/1.1\r\nHost: x\r\nA: '
  const head = (length: number) => `${before}${'a'.repeat(length - before.length)}\r\n\r\n`
  const split = (text: string) => text.match(/[^]{1,100}/g) as string[]
  for (const pieces of [(text: string) => [text], split]) {
    t.match(readRequests(pieces(head(MAX_HEAD))), { requests: [{ isWhole: true }], fault: 'none' })
    t.match(readRequests(pieces(head(MAX_HEAD + 1))), { requests: [], fault: 'the head is too long' })
    t.match(readRequests(pieces(head(3 * MAX_HEAD))), { requests: [], fault: 'the head is too long' })
    t.match(readRequests(pieces('GET /'.padEnd(MAX_HEAD + 4, 'a'))), { fault: 'the head is too long' })
  }
})

t.test('what can never become a head is refused before it is whole', async (t) => {
  for (const text of [
    '\x16\x03\x01\x02',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\r\nA: \0',
    'GET / HTTP/1.1\rH',
    '\x80\x2e\x01\x00',
  ])
    for (const pieces of [[text], text.split('')]) t.not(readRequests(pieces).fault, 'none', JSON.stringify(text))
})

t.test('no head takes long to read', async (t) => {
  const blanks = ' '.repeat(MAX_HEAD - 100)
  for (const field of [
    `Connection: a${blanks}b`,
    `Connection:${blanks}`,
    `Connection: ${blanks.replaceAll(' ', ',')}`,
  ]) {
    const began = performance.now()
    t.match(readRequests([`GET / HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n`]), { fault: 'none' })
    t.ok(performance.now() - began < 200, `${field.slice(0, 14)}… took ${performance.now() - began} ms`)
  }
})
