import fc from 'fast-check'
import t from 'tap'
import type { UpstreamRequest } from '../../src/upstream/types.js'
import {
  answering,
  failsWith,
  getRequest,
  never,
  OK,
  rawUpstream,
  streamOf,
  textOf,
  transportFor,
} from './raw-upstream.js'

t.test('what was signed is what goes out', async (t) => {
  const upstream = await rawUpstream(t, answering(OK))
  const { transport } = transportFor(t)

  t.test('odd paths, byte for byte', async (t) => {
    const paths = [
      '/',
      '//a//b',
      '/b/../x',
      '/b/./x',
      '/b//',
      '/a?b=c?d',
      '/a?a=%2F&b=',
      "/%2F%2e%2E/+*~@=:;,!'()",
      '/é\xff#x',
      '/?',
      '/a??',
      '/b?x=//y',
      '/\\',
    ]
    for (const path of paths.filter((path) => path !== '/?')) {
      const { body } = await transport(getRequest(upstream.port, { path }), never())
      t.equal(await textOf(body), 'ok')
      const sent = upstream.connections[0]!.received().split('\r\n\r\n').at(-2)!
      t.equal(sent.split('\r\n')[0], `GET ${path} HTTP/1.1`)
    }
    t.equal(upstream.connections.length, 1, 'all over one connection')
  })

  t.test('any path of octets that HTTP allows', async () => {
    const octet = fc
      .integer({ min: 0x21, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code))
    const path = fc.array(octet, { maxLength: 40 }).map((octets) => `/${octets.join('')}`)
    await fc.assert(
      fc.asyncProperty(
        path.filter((text) => !/^[^?]*\?$/.test(text)),
        async (path) => {
          const { body } = await transport(getRequest(upstream.port, { path }), never())
          await textOf(body)
          const sent = upstream.connections[0]!.received().split('\r\n\r\n').at(-2)!
          return sent.split('\r\n')[0] === `GET ${path} HTTP/1.1`
        },
      ),
      { numRuns: 50 },
    )
  })

  t.test('headers in their order and octets, a file name after content-length too', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const headers = {
      'content-length': '3',
      host: 'example:1',
      'content-disposition': 'attachment; filename="\xc3\xa9\xff.txt"',
      'x-amz-meta-name': '\xc3\xa9 \xff',
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      authorization: 'AWS4-HMAC-SHA256 …'.replace('…', 'x'),
    }
    const request = getRequest(upstream.port, { method: 'PUT', headers, body: streamOf(Buffer.from('abc')) })
    await textOf((await transport(request, never())).body)
    // Only node minds where content-length stands.
    const length = 'content-length: 3\r\n'
    t.equal(
      upstream.connections[0]!.received().replace('Connection: keep-alive\r\n', '').replace(length, ''),
      'PUT /bucket/key HTTP/1.1\r\nhost: example:1\r\n' +
        'content-disposition: attachment; filename="\xc3\xa9\xff.txt"\r\nx-amz-meta-name: \xc3\xa9 \xff\r\n' +
        'x-amz-server-side-encryption-customer-algorithm: AES256\r\nauthorization: AWS4-HMAC-SHA256 x\r\n\r\nabc',
    )
    t.match(upstream.connections[0]!.received(), length)
  })

  t.test('names of every character that a name may have: metadata with an underscore are common', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const headers = { host: 'x', 'x-amz-meta-my_key': '1', "x-amz-meta-!#$%&'*+.^_`|~0z": '2', x_y: '3' }
    await textOf((await transportFor(t).transport(getRequest(upstream.port, { headers }), never())).body)
    for (const [name, value] of Object.entries(headers)) {
      t.ok(upstream.connections[0]!.received().includes(`\r\n${name}: ${value}\r\n`), name)
    }
  })

  t.test('no body: content-length is 0 where a body could be, and absent where not', async (t) => {
    for (const [method, expected] of [
      ['DELETE', '0'],
      ['POST', '0'],
      ['PUT', '0'],
      ['GET', 'none'],
      ['HEAD', 'none'],
    ] as const) {
      const upstream = await rawUpstream(t, answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
      await textOf((await transport(getRequest(upstream.port, { method }), never())).body)
      const received = upstream.connections[0]!.received()
      t.equal(/content-length: (.*)\r/.exec(received)?.[1] ?? 'none', expected, method)
      t.notMatch(received, /transfer-encoding/i)
    }
  })

  t.test('what cannot go out as signed is refused before there is a connection', async (t) => {
    const upstream = await rawUpstream(t, answering(OK))
    const { port } = upstream
    const host = 'x'
    const refused: [string, Partial<UpstreamRequest>][] = [
      ['a lone ?', { path: '/?' }],
      ['a space', { path: '/a b' }],
      ['a line break', { path: '/a\r\nx: y' }],
      ['beyond latin1', { path: '/\u0100' }],
      ['an absolute target', { path: 'https://other/' }],
      ['no host', { headers: {} }],
      ['a line break in a header', { headers: { host, 'x-amz-meta-a': 'a\r\nb: c' } }],
      ['a header beyond latin1', { headers: { host, 'x-amz-meta-a': '\u0100' } }],
      ['an upper-case header', { headers: { host, 'Content-Length': '5' } }],
      ['a body without length', { method: 'PUT', body: streamOf(Buffer.from('a')) }],
      ['a length without body', { method: 'PUT', headers: { host, 'content-length': '5' } }],
      [
        'two lengths',
        {
          method: 'PUT',
          headers: { host, 'content-length': '1', 'transfer-encoding': 'chunked' },
          body: streamOf(Buffer.from('a')),
        },
      ],
      [
        'another coding',
        { method: 'PUT', headers: { host, 'transfer-encoding': 'gzip, chunked' }, body: streamOf(Buffer.from('a')) },
      ],
      ['CONNECT', { method: 'CONNECT' }],
      ...['connection', 'trailer', 'expect', 'te', 'upgrade', 'keep-alive'].map(
        (name): [string, Partial<UpstreamRequest>] => [name, { headers: { host, [name]: 'x' } }],
      ),
    ]
    for (const [name, overrides] of refused) {
      await failsWith(t, transport(getRequest(port, overrides), never()), { reason: 'protocol', sent: false }, name)
    }
    t.equal(upstream.connections.length, 0)
  })
})
