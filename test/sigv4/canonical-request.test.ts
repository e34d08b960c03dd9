import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { canonicalRequest, canonicalValue, keepSignedHeaders } from '../../src/sigv4/canonical-request.js'
import { codeOf, examples } from './examples.js'

const query = (rawQuery: string, presigned = false): string =>
  canonicalRequest({
    method: 'GET',
    rawPath: '/',
    rawQuery,
    fields: new Map(),
    signedHeaders: [],
    payloadHash: 'x',
    presigned,
  }).split('\n')[2]!

t.test("AWS's examples have the canonical requests that AWS hashed", (t) => {
  for (const example of examples.requests) {
    const canonical = canonicalRequest({
      method: example.method,
      rawPath: example.path,
      rawQuery: example.query,
      fields: new Map(Object.entries(example.headers)),
      signedHeaders: Object.keys(example.headers).sort(),
      payloadHash: example.headers['x-amz-content-sha256']!,
      presigned: false,
    })
    t.equal(createHash('sha256').update(canonical).digest('hex'), example.canonicalSha256, example.name)
  }
  t.end()
})

t.test('the query is decoded, strictly encoded and sorted', (t) => {
  const cases: readonly (readonly [raw: string, canonical: string])[] = [
    ['', ''],
    ['acl', 'acl='],
    ['acl=', 'acl='],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=1', 'a=1&a=2'],
    ['a-b=1&a=1', 'a=1&a-b=1'],
    ['a=1&A=1&_=1', 'A=1&_=1&a=1'],
    ['prefix=a/b', 'prefix=a%2Fb'],
    ['prefix=a%2fb', 'prefix=a%2Fb'],
    ['prefix=%c3%bc', 'prefix=%C3%BC'],
    ['prefix=\xc3\xbc', 'prefix=%C3%BC'],
    ['prefix=%ff', 'prefix=%FF'],
    ['prefix=a+b', 'prefix=a%20b'],
    ['prefix=a%2Bb', 'prefix=a%2Bb'],
    ['prefix=a%20b', 'prefix=a%20b'],
    ['prefix=%7E%2D%2E%5F%41', 'prefix=~-._A'],
    ["prefix=!*'()", 'prefix=%21%2A%27%28%29'],
    ['marker=a=b==', 'marker=a%3Db%3D%3D'],
    ['prefix=%2500', 'prefix=%2500'],
    ['&a=1&&b=2&', 'a=1&b=2'],
    ['=x', '=x'],
  ]
  for (const [raw, canonical] of cases) t.equal(query(raw), canonical, raw)
  t.end()
})

t.test('an escape that is none is refused', (t) => {
  for (const raw of ['%', 'a=%', 'a=%4', 'a=%zz', '%g0=1'])
    t.equal(
      codeOf(() => query(raw)),
      'InvalidURI',
      raw,
    )
  t.end()
})

t.test('X-Amz-Signature is left out of a presigned query only, however its name is written', (t) => {
  t.equal(query('X-Amz-Signature=00&a=1', true), 'a=1')
  t.equal(query('X%2dAmz-Signature=00&a=1', true), 'a=1')
  t.equal(query('X-Amz-Signature=00&a=1', false), 'X-Amz-Signature=00&a=1')
  t.end()
})

t.test('path, signed headers and their order stay as they are', (t) => {
  const canonical = canonicalRequest({
    method: 'PUT',
    rawPath: '/b//a/../%2520+%2b&=~\xc3\xbc',
    rawQuery: '',
    fields: new Map([
      ['host', 'h'],
      ['x-amz-b', ' two  \t words '],
      ['x-amz-c', 'n'],
    ]),
    signedHeaders: ['x-amz-b', 'host', 'absent'],
    payloadHash: 'UNSIGNED-PAYLOAD',
    presigned: false,
  })
  t.equal(
    canonical,
    'PUT\n/b//a/../%2520+%2b&=~\xc3\xbc\n\nx-amz-b:two words\nhost:h\nabsent:\n\nx-amz-b;host;absent\nUNSIGNED-PAYLOAD',
  )
  t.end()
})

t.test('halves of UTF-8 characters are not taken for spaces', (t) => {
  const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
  for (const text of ['à', ' à '.trim(), 'a\u3000b', '\u00a0', 'x\u00a0\u00a0y', '\ufeffz']) {
    t.equal(canonicalValue(` ${bytes(text)} `), bytes(text), JSON.stringify(text))
  }
  t.end()
})

const bytes = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
const blanks = fc
  .array(fc.constantFrom(' ', '\t', '  ', 'a', '\u00a0'), { maxLength: 8 })
  .map((parts) => parts.join(''))

/** The canonical request as AWS describes it, said plainly; the query sorted and encoded by other means. */
function plainly(
  method: string,
  path: string,
  query: readonly (readonly [string, string])[],
  headers: readonly (readonly [string, string])[],
  payloadHash: string,
): string {
  const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  const encode = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, percent)
  const pairs = query.map(([name, value]) => [encode(name), encode(value)] as const)
  pairs.sort((a, b) => Buffer.compare(Buffer.from(a.join('\0')), Buffer.from(b.join('\0'))))
  return [
    method,
    path,
    pairs.map((pair) => pair.join('=')).join('&'),
    ...headers.map(
      ([name, value]) =>
        `${name}:${value
          .split(/[ \t]/)
          .filter((word) => word !== '')
          .join(' ')}`,
    ),
    '',
    headers.map(([name]) => name).join(';'),
    payloadHash,
  ].join('\n')
}

t.test('any request, against a plain formulation', (t) => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const name = fc.constantFrom('host', 'range', 'x-amz-date', 'x-amz-meta-a', 'x-amz-meta-b')
  const headers = fc.uniqueArray(fc.tuple(name, fc.oneof(bytes, blanks)), { selector: ([key]) => key })
  const parameter = fc.tuple(
    text.filter((key) => key !== ''),
    text,
  )
  fc.assert(
    fc.property(headers, fc.array(parameter, { maxLength: 4 }), bytes, (fields, parameters, rawPath) => {
      const rawQuery = parameters.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
      const signed = {
        method: 'PUT',
        rawPath,
        rawQuery,
        fields: new Map(fields),
        signedHeaders: fields.map(([key]) => key),
        payloadHash: 'UNSIGNED-PAYLOAD',
        presigned: false,
      }
      const expected = plainly('PUT', rawPath, parameters, fields, 'UNSIGNED-PAYLOAD')
      t.equal(canonicalRequest(signed), expected)
      keepSignedHeaders(signed.signedHeaders)
      t.equal(canonicalRequest(signed), expected, 'with names that were kept')
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('lines of headers are canonical value by value, whichever of them have blanks', (t) => {
  const unit = fc.constantFrom('a', ':', ' ', '\t', '\xa0', '\xfc')
  const headers = fc.dictionary(
    fc.constantFrom('host', 'range', 'x-amz-a', 'x-amz-b'),
    fc.string({ unit, maxLength: 5 }),
  )
  fc.assert(
    fc.property(headers, (values) => {
      const signedHeaders = [...Object.keys(values), 'x-amz-absent']
      const fields = new Map(Object.entries(values))
      const plain = signedHeaders.map(
        (name) => `${name}:${(values[name] ?? '').replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')}\n`,
      )
      const canonical = canonicalRequest({
        method: 'GET',
        rawPath: '/',
        rawQuery: '',
        fields,
        signedHeaders,
        payloadHash: 'x',
        presigned: false,
      })
      return canonical === `GET\n/\n\n${plain.join('')}\n${signedHeaders.join(';')}\nx`
    }),
    { numRuns: 1000 },
  )
  t.end()
})
