import t from 'tap'
import { answer, countBody, exchange, rawClient, start } from './harness.js'

/**
 * The attacker sits behind, or before, another HTTP program and looks for bytes that the two read differently: a second
 * request hidden in the first one's body would be signed by the proxy. Nothing ambiguous may reach the handler, and
 * nothing that follows it on the same connection.
 */
const SMUGGLED = 'PUT /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
const BODY = `0\r\n\r\n${SMUGGLED}`
const headed = (...lines: string[]) => `PUT /a HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`

const HEADS: Readonly<Record<string, string>> = {
  'two lengths': headed('Content-Length: 5', 'Content-Length: 0'),
  'two equal lengths': headed('Content-Length: 5', 'Content-Length: 5'),
  'a list of lengths': headed('Content-Length: 5, 5'),
  'a signed length': headed('Content-Length: +5'),
  'a negative length': headed('Content-Length: -5'),
  'a hexadecimal length': headed('Content-Length: 0x5'),
  'an empty length': headed('Content-Length: '),
  'a length with a space in it': headed('Content-Length: 1 5'),
  'a length past 64 bits': headed('Content-Length: 99999999999999999999999'),
  'length and chunks': headed('Content-Length: 5', 'Transfer-Encoding: chunked'),
  'chunks and length': headed('Transfer-Encoding: chunked', 'Content-Length: 5'),
  'length and an empty coding': headed('Transfer-Encoding: ', 'Content-Length: 5'),
  'an unknown coding': headed('Transfer-Encoding: xchunked'),
  'chunked and another coding': headed('Transfer-Encoding: chunked, identity'),
  'a coding under the chunks': headed('Transfer-Encoding: gzip, chunked'),
  'codings in two fields': headed('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
  'chunked twice': headed('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  'a vertical tab before chunked': headed('Transfer-Encoding: \vchunked'),
  'the identity coding': headed('Transfer-Encoding: identity'),
  'chunks in HTTP/1.0': 'PUT /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a folded line': headed('X-A: a', ' b'),
  'a line folded with a tab': headed('X-A: a', '\tb'),
  'a folded length': headed('X-A: a', ' Content-Length: 5'),
  'a folded coding': headed('Transfer-Encoding:', ' chunked'),
  'a space before the first field': 'PUT /a HTTP/1.1\r\n Host: x\r\n\r\n',
  'a space before the colon': headed('Content-Length : 5'),
  'bare line feeds': 'PUT /a HTTP/1.1\nHost: x\n\n',
  'a bare line feed between fields': headed('X-A: a\nContent-Length: 5'),
  'a bare line feed at the end of the head': 'PUT /a HTTP/1.1\r\nHost: x\r\n\n',
  'a bare carriage return': headed('X-A: a\rContent-Length: 5'),
  'a NUL in a value': headed('X-A: a\0b'),
  'a field without a name': headed(': a'),
  'a field without a colon': headed('nonsense'),
  'a field name that is not ASCII': headed('X\xe9: a'),
  'two hosts': headed('Host: y', 'Content-Length: 0'),
  'no host': 'PUT /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n',
  'a space in the target': 'PUT /a b HTTP/1.1\r\nHost: x\r\n\r\n',
  'a target that is not ASCII': 'PUT /a\xff HTTP/1.1\r\nHost: x\r\n\r\n',
  'HTTP/0.9': 'GET /a\r\n\r\n',
  'HTTP/1.2': 'GET /a HTTP/1.2\r\nHost: x\r\n\r\n',
  'HTTP/2.0 in words': 'GET /a HTTP/2.0\r\nHost: x\r\n\r\n',
  "HTTP/2's preface": 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a method that is none': 'FOO /a HTTP/1.1\r\nHost: x\r\n\r\n',
  'TLS on a port without it': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
}

t.test('heads that two programs could read in two ways never reach the handler', async (t) => {
  const { port, handled, events } = await start(t)
  for (const [name, head] of Object.entries(HEADS)) {
    const before = events.length
    const said = await exchange(port, head + BODY)
    t.match(said, /^HTTP\/1\.1 400 Bad Request\r\n/, `${name}: 400`)
    t.equal(said.match(/HTTP\/1\.1 /g)?.length, 1, `${name}: one answer, and the connection closed`)
    t.match(said, /^connection: close\r$/im, `${name}: said so`)
    t.match(said, /<Code>BadRequest<\/Code>/, `${name}: as S3 says it`)
    const [, id] = /x-amz-request-id: (\w{16})\r/.exec(said) ?? []
    const about = { requestId: id, status: 400, outcome: 'refused', errorCode: 'BadRequest', reason: /^(?!An error)/ }
    t.match(events.slice(before), [about], name)
    t.strictSame(handled, [], `${name}: nothing was handled`)
  }
})

const CHUNKS: Readonly<Record<string, string>> = {
  'a bare line feed after the size': '5\nhello\r\n',
  'a bare line feed after the data': '5\r\nhello\n',
  'nothing after the data': '5\r\nhello',
  'a bare line feed in an extension': '5;a\nb\r\nhello\r\n',
  'a space after the size': '5 \r\nhello\r\n',
  'a negative size': '-5\r\nhello\r\n',
  'a size with 0x': '0x5\r\nhello\r\n',
  'a size past 64 bits': 'fffffffffffffffff\r\nhello\r\n',
  'a length in the trailer': '0\r\nContent-Length: 5\r\n\r\n',
}

t.test('chunks that two programs could read in two ways cut the body off, and nothing after them runs', async (t) => {
  for (const [name, chunk] of Object.entries(CHUNKS)) {
    const bodies: (number | string)[] = []
    const { port, handled } = await start(t, {
      handler: async (request, response, context) => {
        const watched = { ...request, openBody: () => request.openBody().on('end', () => bodies.push('whole')) }
        await countBody(watched, response, context)
      },
    })
    const said = await exchange(port, `${headed('Transfer-Encoding: chunked')}${chunk}${BODY}`)
    t.match(said, /^HTTP\/1\.1 400 /, name)
    t.equal(said.match(/HTTP\/1\.1 /g)?.length, 1, `${name}: one answer, and the connection closed`)
    t.strictSame(handled, ['PUT /a'], `${name}: only the request itself was begun`)
    t.strictSame(bodies, [], `${name}: its body was never whole`)
  }
})

t.test('a head that is too large is 431, and node is not left to drop fields in silence', async (t) => {
  const { port, handled, events } = await start(t, {
    handler: async (request, response) => {
      answer(response, String(request.fieldLines.length / 2))
    },
  })
  const field = `X-A: ${'a'.repeat(90)}\r\n`
  t.match(await exchange(port, headed(field.repeat(400))), /^HTTP\/1\.1 431 .*<Code>RequestHeaderSectionTooLarge</s)
  t.match(await exchange(port, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /)
  t.strictSame(handled, [])
  t.match(events, [{ status: 431 }, { status: 431 }])
  const many = Array.from({ length: 3000 }, (_, i) => `a${i}: `)
  t.match(await exchange(port, headed(...many, 'Connection: close')), /\r\n3002$/, 'all of 3002 fields are there')
})

t.test('a presigned URL with a session token of 12 KiB and a good deal of metadata gets through', async (t) => {
  const { port } = await start(t)
  const target = `/b/k?X-Amz-Security-Token=${'t'.repeat(12_000)}`
  const said = await exchange(
    port,
    `GET ${target} HTTP/1.1\r\nHost: x\r\nX-Amz-Meta-A: ${'m'.repeat(8_000)}\r\nConnection: close\r\n\r\n`,
  )
  t.match(said, /^HTTP\/1\.1 200 OK/)
})

t.test('Upgrade is ignored and CONNECT gets nothing', async (t) => {
  const { port, handled } = await start(t)
  const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAAA']
  const client = rawClient(port)
  client.send(headed(...upgrade, 'Content-Length: 5') + 'hello')
  await client.until(/^HTTP\/1\.1 200 OK[^]*got 5$/)
  client.send(headed('Connection: close', 'Content-Length: 0'))
  t.match(await client.closed, /got 0$/, 'and the connection goes on as HTTP/1.1')
  t.equal(await exchange(port, 'CONNECT internal:443 HTTP/1.1\r\nHost: internal:443\r\n\r\n'), '')
  t.equal(handled.length, 2)
})

t.test('behind an answer that closes the connection no further request runs', async (t) => {
  const { port, handled } = await start(t, {
    handler: async (_request, response) => {
      answer(response, 'first')
    },
  })
  const pipelined = (n: number) => `PUT /${n} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`
  const client = rawClient(port)
  client.send(pipelined(1).slice(0, -5))
  await client.until(/first/)
  client.send(`hello${pipelined(2)}${pipelined(3)}`)
  const said = await client.closed
  t.equal(said.match(/HTTP\/1\.1 /g)?.length, 1)
  t.strictSame(handled, ['PUT /1'])
})

t.test('after a bad request the next connection is served as ever, and a good request before it stands', async (t) => {
  const { port, handled } = await start(t)
  const client = rawClient(port)
  client.send(headed('Content-Length: 5') + 'hello')
  await client.until(/got 5$/)
  client.send(HEADS['two lengths'] as string)
  t.match(await client.closed, /got 5HTTP\/1\.1 400 /)
  t.match(await exchange(port, headed('Connection: close', 'Content-Length: 0')), /200 OK[^]*got 0/)
  t.equal(handled.length, 2)
})
