import t from 'tap'
import { parseAuthorization } from '../../src/sigv4/authorization.js'
import { canonicalRequest } from '../../src/sigv4/canonical-request.js'
import { scopeText, sha256, signatureOf, signingKeyOf } from '../../src/sigv4/signing-key.js'
import { formatTimestamp } from '../../src/sigv4/timestamp.js'
import { SecretAccessKey } from '../../src/sigv4/types.js'
import { verifySignature } from '../../src/sigv4/verify.js'
import { codeOf, errorOf, examples, now, queryOf, scope, secret } from './examples.js'

interface Request {
  readonly method: string
  readonly rawPath: string
  readonly rawQuery: string
  readonly fields: ReadonlyMap<string, string>
}

interface Circumstances {
  readonly now?: Date
  readonly regions?: readonly string[]
  readonly secretAccessKey?: SecretAccessKey
}

function verify(request: Request, circumstances: Circumstances = {}) {
  const authorization = parseAuthorization(request.fields, queryOf(request.rawQuery))
  if (authorization.type === 'none') throw new Error('not signed')
  return verifySignature({
    ...request,
    authorization,
    secretAccessKey: secret,
    now,
    regions: ['us-east-1'],
    ...circumstances,
  })
}

/** Signs as a client would; what it signs may differ from what it sends. */
function signed(
  request: Omit<Request, 'fields'> & { readonly headers: Readonly<Record<string, string>> },
  change: {
    readonly sent?: Readonly<Record<string, string>>
    readonly names?: readonly string[]
    readonly scope?: typeof scope
    readonly timestamp?: string
  } = {},
): Request {
  const headers: Record<string, string> = {
    host: 'proxy.test:8443',
    'x-amz-date': change.timestamp ?? '20130524T000000Z',
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    ...request.headers,
  }
  const signedHeaders = change.names ?? Object.keys(headers).sort()
  const fields = new Map(Object.entries(headers))
  const payloadHash = headers['x-amz-content-sha256']!
  const canonical = canonicalRequest({ ...request, fields, signedHeaders, payloadHash, presigned: false })
  const where = change.scope ?? scope
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scopeText(where), sha256(canonical)].join('\n')
  const signature = signatureOf(signingKeyOf(secret, where), toSign)
  for (const [name, value] of Object.entries(change.sent ?? {})) fields.set(name, value)
  const credential = `${where.accessKeyId}/${scopeText(where)}`
  fields.set(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
  )
  return { method: request.method, rawPath: request.rawPath, rawQuery: request.rawQuery, fields }
}

const plain = { method: 'PUT', rawPath: '/bucket/key', rawQuery: 'partNumber=1', headers: {} }

t.test("AWS's examples are accepted, and their signature is the seed of what follows", (t) => {
  for (const example of examples.requests) {
    const names = Object.keys(example.headers).sort().join(';')
    const credential = `${examples.accessKeyId}/${scopeText(scope)}`
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${example.signature}`
    const fields = new Map(Object.entries({ ...example.headers, authorization }))
    const request = { method: example.method, rawPath: example.path, rawQuery: example.query, fields }
    const { signingKey, ...rest } = verify(request)
    t.same(rest, { scope, timestamp: examples.timestamp, signature: example.signature }, example.name)
    t.ok(signingKey.equals(signingKeyOf(secret, scope)))
    t.equal(
      codeOf(() => verify({ ...request, method: 'POST' })),
      'SignatureDoesNotMatch',
    )
  }
  t.end()
})

const { presigned } = examples
const presignedRequest: Request = {
  method: presigned.method,
  rawPath: presigned.path,
  rawQuery: presigned.query,
  fields: new Map([['host', presigned.host]]),
}

t.test("AWS's presigned example is accepted as long as it lives", (t) => {
  t.equal(verify(presignedRequest).timestamp, '20130524T000000Z')
  verify(presignedRequest, { now: new Date('2013-05-25T00:00:00Z') })
  t.match(
    errorOf(() => verify(presignedRequest, { now: new Date('2013-05-25T00:00:01Z') })),
    {
      code: 'AccessDenied',
      message: 'Request has expired',
      extra: { 'X-Amz-Expires': '86400', Expires: '2013-05-25T00:00:00Z', ServerTime: '2013-05-25T00:00:01Z' },
    },
  )
  verify(presignedRequest, { now: new Date('2013-05-23T23:45:00Z') })
  t.match(
    errorOf(() => verify(presignedRequest, { now: new Date('2013-05-23T23:44:59Z') })),
    { code: 'AccessDenied', message: 'Request is not yet valid' },
  )
  t.end()
})

t.test('a presigned request binds method, path, query and host', (t) => {
  const others: readonly Partial<Request>[] = [
    { method: 'PUT' },
    { rawPath: '/test.tx' },
    { rawPath: '/%74est.txt' },
    { rawQuery: `${presigned.query}&versionId=1` },
    { rawQuery: presigned.query.replace('86400', '86401') },
    { rawQuery: presigned.query.replace('T000000Z', 'T000001Z') },
    { fields: new Map([['host', 'other.test']]) },
    { rawQuery: presigned.query.replace(/.$/, '5') },
    { rawQuery: presigned.query.replace(/.$/, '') },
    { rawQuery: presigned.query.replace(/[0-9a-f]{64}$/, (signature) => signature.toUpperCase()) },
  ]
  for (const other of others) {
    const code = codeOf(() => verify({ ...presignedRequest, ...other }))
    t.match(code, /^(SignatureDoesNotMatch|AuthorizationQueryParametersError)$/, JSON.stringify(other))
  }
  t.end()
})

t.test('headers that are not signed', (t) => {
  const unsigned = (fields: ReadonlyMap<string, string>, request = presignedRequest) =>
    errorOf(() => verify({ ...request, fields: new Map([...request.fields, ...fields]) }))
  t.match(
    unsigned(
      new Map([
        ['x-amz-acl', 'public-read'],
        ['x-amz-server-side-encryption-customer-key', 'k'],
      ]),
    ),
    {
      code: 'AccessDenied',
      message: 'There were headers present in the request which were not signed',
      extra: { HeadersNotSigned: 'x-amz-acl, x-amz-server-side-encryption-customer-key' },
    },
  )
  t.match(unsigned(new Map([['x-amz-meta-a', 'b']]), signed(plain)), { code: 'AccessDenied' })
  t.match(unsigned(new Map([['x-amz-date', '20130524T000000Z']])), { code: 'AccessDenied' })
  t.equal(unsigned(new Map([['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']])), undefined, 'signed as the last line')
  t.equal(
    unsigned(
      new Map([
        ['content-type', 'a/b'],
        ['x-amzn-trace-id', 'Root=1'],
      ]),
    ),
    undefined,
  )
  const hostless = signed(plain, { names: ['x-amz-content-sha256', 'x-amz-date'] })
  t.match(
    errorOf(() => verify(hostless)),
    { extra: { HeadersNotSigned: 'host' } },
  )
  t.end()
})

t.test('an unsigned x-amz-content-sha256 still binds', (t) => {
  const request = signed(plain, { names: ['host', 'x-amz-date'] })
  verify(request)
  const fields = new Map(request.fields).set('x-amz-content-sha256', sha256(''))
  t.equal(
    codeOf(() => verify({ ...request, fields })),
    'SignatureDoesNotMatch',
  )
  t.end()
})

t.test('the clock may differ by 15 minutes', (t) => {
  const request = signed(plain)
  for (const ok of ['2013-05-23T23:45:00Z', '2013-05-24T00:15:00Z']) verify(request, { now: new Date(ok) })
  for (const skewed of ['2013-05-23T23:44:59Z', '2013-05-24T00:15:01Z', '2023-05-24T00:00:00Z']) {
    t.match(
      errorOf(() => verify(request, { now: new Date(skewed) })),
      {
        code: 'RequestTimeTooSkewed',
        extra: {
          RequestTime: '20130524T000000Z',
          ServerTime: skewed,
          MaxAllowedSkewMilliseconds: '900000',
        },
      },
    )
  }
  t.end()
})

t.test('the scope: date, region, service', (t) => {
  t.match(
    errorOf(() => verify(signed(plain), { regions: ['eu-central-1', 'eu-west-1'] })),
    {
      code: 'AuthorizationHeaderMalformed',
      message: /the region 'us-east-1' is wrong; expecting 'eu-central-1'/,
      extra: { Region: 'eu-central-1' },
    },
  )
  verify(signed(plain), { regions: ['eu-central-1', 'us-east-1'] })
  verify(signed(plain), { regions: [] })
  const elsewhere: readonly (typeof scope)[] = [
    { ...scope, service: 'sts' },
    { ...scope, date: '20130523' },
    { ...scope, date: '20130525' },
  ]
  for (const other of elsewhere) {
    const code = codeOf(() => verify(signed(plain, { scope: other })))
    t.equal(code, 'AuthorizationHeaderMalformed', scopeText(other))
  }
  t.equal(
    codeOf(() => verify(presignedRequest, { regions: ['eu-central-1'] })),
    'AuthorizationQueryParametersError',
  )
  t.end()
})

t.test('the Host header with and without a default port', (t) => {
  const pairs = (sign: string, send: string): string =>
    codeOf(() => verify(signed({ ...plain, headers: { host: sign } }, { sent: { host: send } })))
  for (const [sign, send] of [
    ['h', 'h'],
    ['h', 'h:443'],
    ['h', 'h:80'],
    ['h:443', 'h'],
    ['h:80', 'h'],
    ['h:8443', 'h:8443'],
    ['[::1]', '[::1]:443'],
    ['[::1]:443', '[::1]'],
  ] as const) {
    t.equal(pairs(sign, send), 'none', `${sign} ${send}`)
  }
  for (const [sign, send] of [
    ['h', 'h:8443'],
    ['h:8443', 'h'],
    ['h:443', 'h:80'],
    ['h:443', 'h:8443'],
    ['h', 'g'],
    ['h', 'H:443.evil.test'],
    ['h', 'h:443:443'],
    ['h:8443:443', 'h:8443'],
    ['h', 'h:'],
  ] as const) {
    t.equal(pairs(sign, send), 'SignatureDoesNotMatch', `${sign} ${send}`)
  }
  for (const send of ['', 'h,h', 'h,evil.test']) t.equal(pairs('h', send), 'InvalidRequest', send)
  t.end()
})

t.test('two slashes, of which the AWS SDKs for Java send the second as %2F', (t) => {
  const pairs = (sign: string, send: string): string =>
    codeOf(() => verify({ ...signed({ ...plain, rawPath: sign }), rawPath: send }))
  for (const [sign, send] of [
    ['/bucket/a//b', '/bucket/a/%2Fb'],
    ['/bucket/a///b', '/bucket/a/%2F/b'],
    ['/bucket/a////b', '/bucket/a/%2F/%2Fb'],
    ['/bucket//', '/bucket/%2F'],
    ['//key', '/%2Fkey'],
    ['/bucket/a/%2Fb', '/bucket/a/%2Fb'],
  ] as const) {
    t.equal(pairs(sign, send), 'none', `${sign} ${send}`)
  }
  for (const [sign, send] of [
    ['/bucket/a/b', '/bucket/a%2Fb'],
    ['/bucket/a/b', '/bucket/a/%2Fb'],
    ['/bucket/key', '/bucket%2Fkey'],
    ['/bucket/a/%2Fb', '/bucket/a//b'],
    ['/bucket/a//b', '/bucket/a/%252Fb'],
    ['/bucket/a//b', '/bucket/a%2F%2Fb'],
    ['/bucket/a//b', '/bucket/a/b'],
  ] as const) {
    t.equal(pairs(sign, send), 'SignatureDoesNotMatch', `${sign} ${send}`)
  }
  t.end()
})

t.test('a mismatch tells what was signed, as S3 does', (t) => {
  const request = signed(plain)
  const error = errorOf(() => verify(request, { secretAccessKey: new SecretAccessKey('wrong') }))
  const canonical =
    'PUT\n/bucket/key\npartNumber=1\nhost:proxy.test:8443\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD'
  const toSign = `AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n${sha256(canonical)}`
  t.equal(error?.code, 'SignatureDoesNotMatch')
  t.same(error?.extra, {
    AWSAccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    StringToSign: toSign,
    SignatureProvided: request.fields.get('authorization')?.slice(-64),
    StringToSignBytes: Buffer.from(toSign).toString('hex').match(/../g)?.join(' '),
    CanonicalRequest: canonical,
    CanonicalRequestBytes: Buffer.from(canonical).toString('hex').match(/../g)?.join(' '),
  })
  t.end()
})

t.test('a mismatch shows no customer key, no session token, and never the right signature', (t) => {
  const key = Buffer.alloc(32, 7).toString('base64')
  const headers = {
    'x-amz-server-side-encryption-customer-key': key,
    'x-amz-server-side-encryption-customer-key-md5': 'md5',
    'x-amz-copy-source-server-side-encryption-customer-key': key,
    'x-amz-security-token': 'tokentokentoken',
  }
  const good = signed({ ...plain, headers })
  const right = good.fields.get('authorization')?.slice(-64) ?? ''
  const fields = new Map(good.fields).set(
    'authorization',
    (good.fields.get('authorization') ?? '').replace(right, 'ab'),
  )
  const shown = [
    errorOf(() => verify({ ...good, fields })),
    errorOf(() => verify({ ...presignedRequest, rawQuery: `${presigned.query}&X-Amz-Security-Token=tokentokentoken` })),
  ]
  const text = JSON.stringify(shown.map((error) => [error?.code, error?.message, error?.extra]))
  t.match(text, 'customer-key:[secret]')
  t.match(text, 'customer-key-md5:md5')
  t.match(text, 'X-Amz-Security-Token=[secret]')
  for (const secretText of [key, 'tokentokentoken', right, secret.reveal()]) {
    t.notOk(text.includes(secretText))
    t.notOk(text.includes(Buffer.from(secretText).toString('hex').match(/../g)?.join(' ') ?? ''))
  }
  t.end()
})

t.test('any one bit flipped anywhere is noticed', (t) => {
  const request = signed({
    method: 'PUT',
    rawPath: '/bucket/dir/%C3%BC%20key',
    rawQuery: 'partNumber=12&uploadId=abc',
    headers: { 'content-type': 'text/plain', 'x-amz-meta-name': 'w\xc3\xbcrfel' },
  })
  verify(request)
  const unnoticed: string[] = []
  let flips = 0
  for (const name of ['method', 'rawPath', 'rawQuery', ...request.fields.keys()]) {
    const text = name in request ? request[name as 'rawPath'] : (request.fields.get(name) ?? '')
    for (let bit = 0; bit < text.length * 8; bit += 1) {
      const bytes = Buffer.from(text, 'latin1')
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const other = bytes.toString('latin1')
      const changed =
        name in request
          ? { ...request, [name]: other }
          : { ...request, fields: new Map(request.fields).set(name, other) }
      flips += 1
      if (codeOf(() => verify(changed)) === 'none' && !sameMeaning(request, changed))
        unnoticed.push(`${name}: ${other}`)
    }
  }
  t.same(unnoticed, [])
  t.ok(flips > 2000)
  t.end()
})

function sameMeaning(a: Request, b: Request): boolean {
  const meaning = ({ rawQuery, fields }: Request): string => {
    const query = [...new URLSearchParams(rawQuery)].sort()
    // Names of headers are case-insensitive.
    const authorization = (fields.get('authorization') ?? '').replaceAll(/[ \t]+/g, ' ')
    const [head = '', names = ''] = authorization.split('SignedHeaders=')
    // The signature does not cover the access key id: it chooses the secret that is verified with.
    return JSON.stringify([
      query,
      head.replace(/=[^/]*/, ''),
      names.toLowerCase().slice(0, -64),
      authorization.slice(-64),
    ])
  }
  return meaning(a) === meaning(b)
}

t.test('a timestamp made by us reads as the same day', (t) => {
  t.equal(formatTimestamp(now), examples.timestamp)
  t.end()
})
