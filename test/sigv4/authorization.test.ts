import t from 'tap'
import { parseAuthorization } from '../../src/sigv4/authorization.js'
import { codeOf, errorOf, examples, queryOf } from './examples.js'

const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'
const value = (parts: string): string => `AWS4-HMAC-SHA256 ${parts}`
const whole = `Credential=${credential},SignedHeaders=host;x-amz-date,Signature=00ff`

const withHeader = (authorization: string, more: Readonly<Record<string, string>> = {}) =>
  parseAuthorization(
    new Map(
      Object.entries({
        authorization,
        'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
        'x-amz-date': '20130524T000000Z',
        ...more,
      }),
    ),
    new Map(),
  )

t.test('nothing said', (t) => {
  t.same(parseAuthorization(new Map([['host', 'h']]), queryOf('list-type=2')), { type: 'none' })
  t.end()
})

t.test('the header, in every spacing and order', (t) => {
  const expected = {
    type: 'header',
    scope: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', date: '20130524', region: 'us-east-1', service: 's3' },
    signedHeaders: ['host', 'x-amz-date'],
    signature: '00ff',
    timestamp: '20130524T000000Z',
    expires: Infinity,
    payloadHash: 'UNSIGNED-PAYLOAD',
  }
  for (const parts of [
    whole,
    whole.replaceAll(',', ', '),
    whole.replaceAll(',', ' ,\t '),
    ` ${whole} `,
    `Signature=00ff, Credential=${credential}, SignedHeaders=host;x-amz-date`,
    whole.replace('host;', 'Host;'),
  ]) {
    t.same(withHeader(value(parts)), expected, parts)
  }
  t.end()
})

t.test('an access key id may hold slashes', (t) => {
  const authorization = withHeader(value(whole.replace('AKIA', 'team/one/AKIA')))
  t.match(authorization, { scope: { accessKeyId: 'team/one/AKIAIOSFODNN7EXAMPLE', region: 'us-east-1' } })
  t.end()
})

t.test('the date: x-amz-date before Date, which stands in for it', (t) => {
  const date = 'Sat, 25 May 2013 00:00:00 GMT'
  t.match(withHeader(value(whole), { date }), { timestamp: '20130524T000000Z' })
  const fields = new Map([
    ['authorization', value(whole)],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['date', date],
  ])
  t.match(parseAuthorization(fields, new Map()), { timestamp: '20130525T000000Z' })
  fields.delete('date')
  t.equal(
    codeOf(() => parseAuthorization(fields, new Map())),
    'AccessDenied',
  )
  for (const twice of ['20130524T000000Z,20130524T000000Z', date, '']) {
    t.equal(
      codeOf(() => withHeader(value(whole), { 'x-amz-date': twice })),
      'AccessDenied',
      twice,
    )
  }
  t.end()
})

t.test('malformed headers', (t) => {
  const parts = [
    '',
    'Credential',
    whole.replace(/Credential=[^,]*,/, ''),
    whole.replace(/SignedHeaders=[^,]*,/, ''),
    whole.replace(/,Signature=.*/, ''),
    whole.replace('00ff', ''),
    `${whole},${whole}`,
    `${whole},Signature=00`,
    `${whole},`,
    `,${whole}`,
    `${whole},Other=1`,
    whole.replace('aws4_request', 'aws4_reques'),
    whole.replace('20130524', '2013-5-24'),
    whole.replace('us-east-1', ''),
    whole.replace('us-east-1', 'us east'),
    whole.replace('us-east-1', 'a"b'),
    whole.replace('AKIAIOSFODNN7EXAMPLE', ''),
    whole.replace('/s3', ''),
    whole.replace('host;', ';'),
    whole.replace('host;', 'host;host;'),
    whole.replace('host;', 'host;Host;'),
    whole.replace('host;', 'ho\u00fcst;'),
    whole.replace('host;', 'host:x;'),
  ]
  for (const part of parts) {
    t.equal(
      codeOf(() => withHeader(value(part))),
      'AuthorizationHeaderMalformed',
      part,
    )
  }
  t.end()
})

t.test('other schemes', (t) => {
  t.equal(
    codeOf(() => withHeader(`AWS4-ECDSA-P256-SHA256 ${whole}`)),
    'NotImplemented',
  )
  const basic = errorOf(() => withHeader('Basic dXNlcjpwYXNzd29yZA=='))
  t.equal(basic?.code, 'InvalidArgument')
  t.notMatch(JSON.stringify([basic?.message, basic?.extra]), 'dXNlcjpwYXNzd29yZA', 'a password is not shown')
  for (const scheme of ['', 'AWS4-HMAC-SHA256x y', 'aws4-hmac-sha256 x', 'Bearer x']) {
    t.equal(
      codeOf(() => withHeader(scheme)),
      'InvalidArgument',
      scheme,
    )
  }
  t.end()
})

t.test('the header needs x-amz-content-sha256', (t) => {
  t.match(
    errorOf(() => withHeader(value(whole), { 'x-amz-content-sha256': '' })),
    { code: 'InvalidRequest', message: 'Missing required header for this request: x-amz-content-sha256' },
  )
  t.end()
})

const presign = (
  change: Readonly<Record<string, string | undefined>>,
  fields: Readonly<Record<string, string>> = {},
) => {
  const query = new Map(queryOf(examples.presigned.query))
  for (const [name, text] of Object.entries(change)) {
    if (text === undefined) query.delete(name)
    else query.set(name, text)
  }
  return parseAuthorization(new Map(Object.entries(fields)), query)
}

t.test("AWS's presigned example", (t) => {
  t.same(presign({}), {
    type: 'presigned',
    scope: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', date: '20130524', region: 'us-east-1', service: 's3' },
    signedHeaders: ['host'],
    signature: 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    timestamp: '20130524T000000Z',
    expires: 86_400,
    payloadHash: 'UNSIGNED-PAYLOAD',
  })
  t.end()
})

t.test('malformed presigned queries', (t) => {
  const names = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'].map((n) => `X-Amz-${n}`)
  const changes: readonly Readonly<Record<string, string | undefined>>[] = [
    ...names.flatMap((name) => [{ [name]: undefined }, { [name]: '' }]),
    { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA1' },
    { 'X-Amz-Credential': 'AKID/20130524/us-east-1/aws4_request' },
    { 'X-Amz-Date': '2013-05-24T00:00:00Z' },
    { 'X-Amz-SignedHeaders': 'host;' },
    { 'X-Amz-Expires': '0' },
    { 'X-Amz-Expires': '-1' },
    { 'X-Amz-Expires': '604801' },
    { 'X-Amz-Expires': '1.5' },
    { 'X-Amz-Expires': '1e3' },
    { 'X-Amz-Expires': ' 1' },
    { 'X-Amz-Content-Sha256': 'a\nb' },
    { 'X-Amz-Content-Sha256': '' },
  ]
  for (const change of changes) {
    t.equal(
      codeOf(() => presign(change)),
      'AuthorizationQueryParametersError',
      JSON.stringify(change),
    )
  }
  t.match(presign({ 'X-Amz-Expires': '604800' }), { expires: 604_800 })
  t.match(presign({ 'X-Amz-Expires': '1' }), { expires: 1 })
  t.equal(
    codeOf(() => presign({ 'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256' })),
    'NotImplemented',
  )
  t.end()
})

t.test('where a presigned request has its payload hash', (t) => {
  const inQuery = { 'X-Amz-Content-Sha256': 'ab12' }
  t.match(presign(inQuery), { payloadHash: 'ab12' })
  t.match(presign({}, { 'x-amz-content-sha256': 'cd34' }), { payloadHash: 'cd34' })
  t.match(presign(inQuery, { 'x-amz-content-sha256': 'ab12' }), { payloadHash: 'ab12' })
  t.equal(
    codeOf(() => presign(inQuery, { 'x-amz-content-sha256': 'cd34' })),
    'AuthorizationQueryParametersError',
  )
  t.end()
})

t.test('two ways at once are refused, whichever is right', (t) => {
  for (const authorization of [value(whole), 'AWS a:b', '']) {
    t.equal(
      codeOf(() => presign({}, { authorization })),
      'InvalidArgument',
    )
  }
  t.end()
})
