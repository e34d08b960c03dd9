import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import t, { type Test } from 'tap'
import { unsignedChunks } from '../support/aws-chunked.js'
import { startRecordingOrigin } from '../support/recording-origin.js'
import { CLIENT, encryptedRule, startTestProxy, type TestProxyOptions } from '../support/proxy-in-process.js'
import { version2Header } from '../support/sign-version-2.js'
import { amzDate, untilClosed, wireAnswer, wireBytes, type WireRequest } from '../support/wire.js'

// What real clients put on the wire and no tidy library would: each of these was seen in the log of one of them. Byte for byte
// over sockets, through the whole proxy.

const { origin, seen, upstream } = await startRecordingOrigin()
t.teardown(() => origin.close())
const BODY = randomBytes(30_000)
const UNSIGNED = 'UNSIGNED-PAYLOAD'
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

async function start(t: Test, options: Partial<TestProxyOptions> = {}) {
  const proxy = await startTestProxy(t, { upstream, signatures: ['v4', 'v2'], ...options })
  seen.length = 0
  const port = proxy.plainPort
  const host = `127.0.0.1:${port}`
  /** Closes the connection unless the headers say what becomes of it. */
  const ask = async (request: WireRequest) => {
    const close = request.headers.some(([name]) => name.toLowerCase() === 'connection')
      ? []
      : [['Connection', 'close'] as const]
    return wireAnswer(
      await untilClosed(port, wireBytes({ ...request, headers: [...request.headers, ...close] }, CLIENT)),
    )
  }
  const base = (payload: string): (readonly [string, string])[] => [
    ['Host', host],
    ['X-Amz-Date', amzDate()],
    ['x-amz-content-sha256', payload],
  ]
  const SIGNED = ['host', 'x-amz-content-sha256', 'x-amz-date']
  const read = async (path: string) =>
    (await ask({ method: 'GET', target: path, headers: base(UNSIGNED), signed: SIGNED })).body
  return { proxy, port, host, ask, base, SIGNED, read }
}

const ok = /^HTTP\/1\.[01] 200 /

t.test(
  'signed headers that servers like to eat: expect, user-agent, accept-encoding, content-length, date, TE, connection',
  async (t) => {
    const { ask, base, read } = await start(t)
    const headers: (readonly [string, string])[] = [
      ...base(sha256(BODY)),
      ['Date', new Date().toUTCString()],
      ['User-Agent', 'Boto/2.49.0  Python/3.11 (odd   spacing)'],
      ['Accept-Encoding', 'gzip, deflate'],
      ['Content-Length', String(BODY.length)],
      ['Expect', '100-Continue'],
      ['TE', 'deflate,gzip;q=0.3'],
      ['Connection', 'TE, X-Custom, close'],
      ['X-Custom', 'a'],
      ['Cookie', 'b=c'],
      ['Transfer-Encoding-Not', 'd'],
    ]
    const signed = headers.map(([name]) => name.toLowerCase()).sort()
    const answer = await ask({ method: 'PUT', target: '/bucket/eaten', headers, signed, body: BODY })
    t.match(answer.head, ok, answer.body.toString())
    t.same(await read('/bucket/eaten'), BODY)
    const fields = seen[0]!.fields
    for (const name of ['expect', 'te', 'cookie', 'x-custom', 'accept-encoding', 'date'])
      t.notOk(fields.has(name), `${name} stays here`)
    for (const [i, [name, value]] of headers.entries()) {
      if (
        name === 'Host' ||
        name.startsWith('X-Amz') ||
        name === 'Content-Length' ||
        name === 'Expect' ||
        name === 'Connection'
      )
        continue
      const other = headers.map((header, at) => (at === i ? ([name, `${value}x`] as const) : header))
      const spoiled = await ask({
        method: 'PUT',
        target: '/bucket/eaten',
        headers: other,
        signed,
        signedAs: { [name.toLowerCase()]: value.replace(/ +/g, ' ') },
        body: BODY,
      })
      t.equal(spoiled.code, 'SignatureDoesNotMatch', `${name} is verified`)
    }
  },
)

t.test('Expect in any spelling of its case', async (t) => {
  const { ask, base, SIGNED, read } = await start(t)
  for (const value of ['100-continue', '100-Continue', '100-CONTINUE', ' 100-continue ']) {
    const headers = [...base(UNSIGNED), ['expect', value], ['Content-Length', String(BODY.length)]] as const
    const answer = await ask({ method: 'PUT', target: '/bucket/expected', headers, signed: SIGNED, body: BODY })
    t.match(answer.head, ok, value)
    t.same(await read('/bucket/expected'), BODY)
  }
})

t.test('odd spacing and order in Authorization, versions 4 and 2', async (t) => {
  const { ask, base, SIGNED, host } = await start(t)
  const request: WireRequest = { method: 'GET', target: '/bucket/spaced', headers: base(UNSIGNED), signed: SIGNED }
  const value = /Authorization: (.*)\r\n/.exec(wireBytes(request, CLIENT).toString())![1]!
  const spellings = [
    value,
    value.replaceAll(', ', ','),
    value.replaceAll(', ', ' ,  '),
    value.replace('AWS4-HMAC-SHA256 ', 'AWS4-HMAC-SHA256 \t '),
    `${value}   `,
    value.replace(/^(\S+) (\S+), (\S+), (\S+)$/, '$1 $4, $2, $3'),
  ]
  for (const spelling of spellings) {
    const headers = [...request.headers, ['authorization', spelling]] as const
    t.equal(
      (await ask({ ...request, headers, signed: 'none' })).code,
      'NoSuchKey',
      spelling.replace(/\w{64}/, '(signature)'),
    )
  }
  const dated = { date: new Date().toUTCString() }
  const version2 = version2Header({ method: 'GET', resource: '/bucket/spaced', query: {}, headers: dated, ...CLIENT })
  for (const spelling of [version2, version2.replace(' ', '   '), `${version2}  `]) {
    const headers = [
      ['Host', host],
      ['Date', dated.date],
      ['Authorization', spelling],
    ] as const
    t.equal((await ask({ method: 'GET', target: '/bucket/spaced', headers, signed: 'none' })).code, 'NoSuchKey')
  }
})

t.test('the Host with and without a port', async (t) => {
  const { ask, base, SIGNED, port } = await start(t)
  const asked = async (sent: string, signed: string) => {
    const headers = [['Host', sent] as const, ...base(UNSIGNED).slice(1)]
    return (await ask({ method: 'GET', target: '/bucket/hosted', headers, signed: SIGNED, signedAs: { host: signed } }))
      .code
  }
  for (const [sent, signed] of [
    ['localhost', 'localhost'],
    ['localhost:443', 'localhost'],
    ['localhost', 'localhost:443'],
    ['localhost', 'localhost:80'],
    [`localhost:${port}`, `localhost:${port}:${port}`], // boto 2's presigner
  ] as const) {
    t.equal(await asked(sent, signed), 'NoSuchKey', `${signed} for ${sent}`)
  }
  for (const [sent, signed] of [
    ['localhost', `localhost:${port}`],
    [`localhost:${port}`, 'localhost'],
    [`localhost:${port}`, `localhost:${port}:80`],
    [`localhost:${port}`, `localhost:${port}:${port}:${port}`],
    ['localhost', 'otherhost'],
  ] as const) {
    t.equal(await asked(sent, signed), 'SignatureDoesNotMatch', `${signed} for ${sent}`)
  }
})

t.test('HTTP/1.0: bodies both ways with a length or an end, and never in chunks', async (t) => {
  const { ask, base, SIGNED, read, proxy } = await start(t)
  const version = '1.0'
  const length = (body: Buffer) => ['Content-Length', String(body.length)] as const
  const put = await ask({
    method: 'PUT',
    target: '/bucket/old',
    version,
    headers: [...base(sha256(BODY)), length(BODY)],
    signed: SIGNED,
    body: BODY,
  })
  t.match(put.head, ok, put.body.toString())
  t.same(await read('/bucket/old'), BODY)
  const get = await ask({ method: 'GET', target: '/bucket/old', version, headers: base(UNSIGNED), signed: SIGNED })
  t.match(get.head, ok)
  t.same(get.body, BODY)
  const list = await ask({
    method: 'GET',
    target: '/bucket?list-type=2&prefix=old',
    version,
    headers: base(UNSIGNED),
    signed: SIGNED,
  })
  t.match(list.head, ok)
  t.match(
    list.body.toString(),
    /^<\?xml[^]*<\/ListBucketResult>$/,
    'a body that was rewritten, up to the end of the connection',
  )
  const started = await ask({
    method: 'POST',
    target: '/bucket/old?uploads=',
    version,
    headers: [...base(UNSIGNED), length(Buffer.alloc(0))],
    signed: SIGNED,
  })
  t.match(started.body.toString(), /^<\?xml[^]*<\/InitiateMultipartUploadResult>$/)
  const missing = await ask({
    method: 'GET',
    target: '/bucket/missing',
    version,
    headers: base(UNSIGNED),
    signed: SIGNED,
  })
  t.equal(missing.code, 'NoSuchKey')
  const head = await ask({ method: 'HEAD', target: '/bucket/old', version, headers: base(UNSIGNED), signed: SIGNED })
  t.match(head.head, /content-length: 30000/i)
  t.equal(head.body.length, 0)
  const expecting = await ask({
    method: 'PUT',
    target: '/bucket/old',
    version,
    headers: [...base(UNSIGNED), length(BODY), ['Expect', '100-continue']],
    signed: SIGNED,
    body: BODY,
  })
  t.match(expecting.head, ok, 'no 100 comes before it: HTTP/1.0 knows none')
  for (const answer of [put, get, list, started, missing, head, expecting]) {
    t.notMatch(answer.head, /transfer-encoding/i)
    t.match(answer.head, /connection: close/i)
  }
  t.equal((await proxy.lastEvent())?.outcome, 'complete')
  const chunked = await ask({
    method: 'PUT',
    target: '/bucket/old',
    version,
    headers: [...base(UNSIGNED), ['Transfer-Encoding', 'chunked']],
    signed: SIGNED,
    body: '3\r\nabc\r\n0\r\n\r\n',
  })
  t.match(chunked.head, / 400 /, 'there is no such thing in HTTP/1.0')
})

t.test(
  'HTTP/1.0 with keep-alive: kept where the answer has a length, closed where its end is the connection’s',
  async (t) => {
    const { port, base, SIGNED, ask } = await start(t)
    await ask({
      method: 'PUT',
      target: '/bucket/kept',
      headers: [...base(UNSIGNED), ['Content-Length', '3']],
      signed: SIGNED,
      body: 'abc',
    })
    const request = (target: string, connection: string): WireRequest => ({
      method: 'GET',
      target,
      version: '1.0',
      headers: [...base(UNSIGNED), ['Connection', connection]],
      signed: SIGNED,
    })
    const two = Buffer.concat([
      wireBytes(request('/bucket/kept', 'Keep-Alive'), CLIENT),
      wireBytes(request('/bucket/kept', 'close'), CLIENT),
    ])
    const received = (await untilClosed(port, two)).toString('latin1')
    t.match(
      received,
      /^HTTP\/1\.1 200 [^]*connection: keep-alive[^]*\r\n\r\nabcHTTP\/1\.1 200 [^]*connection: close[^]*\r\n\r\nabc$/i,
    )
    const list = (await untilClosed(port, wireBytes(request('/bucket?list-type=2', 'Keep-Alive'), CLIENT))).toString(
      'latin1',
    )
    t.match(list, /<\/ListBucketResult>$/, 'closed at its end')
    t.notMatch(list, /transfer-encoding/i)
  },
)

t.test('HTTP/1.0 without a Host, as version 2 allows', async (t) => {
  const { port } = await start(t)
  const dated = { date: new Date().toUTCString() }
  const authorization = version2Header({
    method: 'GET',
    resource: '/bucket/none',
    query: {},
    headers: dated,
    ...CLIENT,
  })
  const bytes = Buffer.from(
    `GET /bucket/none HTTP/1.0\r\nDate: ${dated.date}\r\nAuthorization: ${authorization}\r\n\r\n`,
  )
  t.equal(wireAnswer(await untilClosed(port, bytes)).code, 'NoSuchKey')
})

const chunked = (body: Buffer, size: number): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size)
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

for (const trailingChecksums of ['relay', 'verify'] as const) {
  t.test(
    `aws-chunked inside Transfer-Encoding: chunked, without a Content-Length (${trailingChecksums})`,
    async (t) => {
      const { ask, base, read } = await start(t, { overrides: { trailingChecksums } })
      const digest = Buffer.alloc(4)
      digest.writeUInt32BE(crc32(BODY))
      const trailer = { name: 'x-amz-checksum-crc32', value: digest.toString('base64') }
      const send = (framed: Buffer, size: number, decodedLength = String(BODY.length)) => {
        const headers = [
          ...base('STREAMING-UNSIGNED-PAYLOAD-TRAILER'),
          ['Content-Encoding', 'aws-chunked'],
          ['Transfer-Encoding', 'chunked'],
          ['x-amz-decoded-content-length', decodedLength],
          ['x-amz-trailer', trailer.name],
        ] as const
        const signed = headers.map(([name]) => name.toLowerCase()).sort()
        return ask({ method: 'PUT', target: '/bucket/chunked', headers, signed, body: chunked(framed, size) })
      }
      const framed = unsignedChunks({ body: BODY, chunkSize: 8192, trailer })
      for (const size of [7, 1000, 1_000_000]) {
        t.match((await send(framed, size)).head, ok, `in pieces of ${size}`)
        t.same(await read('/bucket/chunked'), BODY)
      }
      t.same(
        origin.objects('bucket').find(({ objectKey }) => objectKey === 'chunked')?.headers['content-encoding'] ?? '',
        '',
        'not stored',
      )
      const before = origin.objects('bucket').find(({ objectKey }) => objectKey === 'chunked')!.etag
      const wrong = unsignedChunks({ body: BODY, chunkSize: 8192, trailer: { ...trailer, value: 'AAAAAA==' } })
      t.equal((await send(wrong, 1000)).code, 'BadDigest')
      t.equal((await send(framed.subarray(0, -200), 1000)).code, 'IncompleteBody')
      t.equal((await send(framed, 1000, '29999')).code, 'IncompleteBody')
      t.equal(
        origin.objects('bucket').find(({ objectKey }) => objectKey === 'chunked')!.etag,
        before,
        'the object is untouched',
      )
    },
  )
}

t.test('plain chunks need the length in x-amz-decoded-content-length, and hold to it', async (t) => {
  const { ask, base, read } = await start(t)
  const send = (more: readonly (readonly [string, string])[]) => {
    const headers = [...base(UNSIGNED), ['Transfer-Encoding', 'chunked'] as const, ...more]
    const signed = headers.map(([name]) => name.toLowerCase()).sort()
    return ask({ method: 'PUT', target: '/bucket/plain', headers, signed, body: chunked(BODY, 999) })
  }
  t.equal((await send([])).code, 'MissingContentLength')
  t.match((await send([['x-amz-decoded-content-length', '30000']])).head, ok)
  t.same(await read('/bucket/plain'), BODY)
  for (const length of ['29999', '30001']) {
    t.equal((await send([['x-amz-decoded-content-length', length]])).code, 'IncompleteBody', length)
  }
  t.same(await read('/bucket/plain'), BODY)
})

t.test('what clients send beside the request: x-amz-te, own encryption wishes, Content-MD5 on copies', async (t) => {
  const { ask, base, read } = await start(t)
  const send = (
    method: string,
    target: string,
    more: readonly (readonly [string, string])[],
    body: Buffer | string = '',
  ) => {
    const headers = [
      ...base(UNSIGNED),
      ...(method === 'GET' ? [] : [['Content-Length', String(body.length)] as const]),
      ...more,
    ]
    const signed = headers.map(([name]) => name.toLowerCase()).sort()
    return ask({ method, target, headers, signed, body })
  }
  const wish = [
    ['x-amz-server-side-encryption', 'aws:kms'],
    ['x-amz-server-side-encryption-aws-kms-key-id', 'alias/x'],
    ['x-amz-server-side-encryption-bucket-key-enabled', 'true'],
    ['x-amz-server-side-encryption-context', 'e30='],
  ] as const
  t.match((await send('PUT', '/bucket/wish', wish, BODY)).head, ok)
  t.match((await send('GET', '/bucket/wish', [['x-amz-te', 'append-md5']])).head, ok)
  t.same(await read('/bucket/wish'), BODY)
  const wrong = ['Content-MD5', Buffer.alloc(16, 7).toString('base64')] as const
  const source = ['x-amz-copy-source', '/bucket/wish'] as const
  t.match((await send('PUT', '/bucket/copied', [source, wrong])).head, ok, 'gsutil makes it of the ETag')
  t.match((await send('PUT', '/bucket/copied', [source, ...wish])).head, ok)
  t.same(await read('/bucket/copied'), BODY)
  t.equal((await send('PUT', '/bucket/put', [wrong], BODY)).code, 'BadDigest', 'of a body it counts')
  for (const { fields } of seen) {
    t.notOk(fields.has('x-amz-te'))
    for (const [name] of wish) t.notOk(fields.has(name), name)
    t.notOk(fields.has('x-amz-copy-source') && fields.has('content-md5'))
  }
  t.ok(
    origin
      .objects('bucket')
      .filter(({ objectKey }) => ['wish', 'copied'].includes(objectKey))
      .every(({ encrypted }) => encrypted),
  )
})

t.test('own encryption wishes are refused where the rule says so', async (t) => {
  const rules = [encryptedRule('*', 'main', { clientEncryption: 'reject' })]
  const { ask, base, read } = await start(t, { rules })
  const put = (target: string, more: readonly (readonly [string, string])[]) => {
    const headers = [...base(UNSIGNED), ['Content-Length', String(BODY.length)] as const, ...more]
    const signed = headers.map(([name]) => name.toLowerCase()).sort()
    return ask({ method: 'PUT', target, headers, signed, body: BODY })
  }
  for (const name of [
    'x-amz-server-side-encryption',
    'x-amz-server-side-encryption-aws-kms-key-id',
    'X-Amz-Server-Side-Encryption-Bucket-Key-Enabled',
    'x-amz-server-side-encryption-context',
  ]) {
    const refused = await put('/bucket/refused', [[name, 'AES256']])
    t.equal(refused.code, 'InvalidArgument', name)
    t.match(refused.body.toString(), 'clientEncryption: drop')
  }
  t.same(seen, [], 'nothing went to the upstream')
  t.match((await put('/bucket/taken', [])).head, ok)
  t.same(await read('/bucket/taken'), BODY)
})
