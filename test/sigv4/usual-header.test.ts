import fc from 'fast-check'
import t from 'tap'
import { parseAuthorization } from '../../src/sigv4/authorization.js'
import { parseUsualHeader, rememberUsualHeader } from '../../src/sigv4/usual-header.js'
import { errorOf } from './examples.js'

const signature = '0123456789abcdef'.repeat(4)
const usual = `AWS4-HMAC-SHA256 Credential=AKIA/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`

t.test('the forms that SDKs write are read at once', (t) => {
  const expected = {
    scope: { accessKeyId: 'AKIA', date: '20130524', region: 'us-east-1', service: 's3' },
    signedHeaders: ['host', 'x-amz-date'],
    signature,
  }
  for (const header of [usual, usual.replaceAll(', ', ',')]) t.same(parseUsualHeader(header), expected, header)
  const slashes = usual.replace('AKIA', 'a/20130524/b/s3/aws4_request/c')
  t.match(parseUsualHeader(slashes), { scope: { accessKeyId: 'a/20130524/b/s3/aws4_request/c', date: '20130524' } })
  t.end()
})

t.test('everything else is for the general parser', (t) => {
  for (const header of [
    '',
    ` ${usual}`,
    `${usual} `,
    `${usual}\n`,
    usual.replace('256 ', '256  '),
    usual.replace(', ', ' , '),
    usual.replace('host', 'Host'),
    usual.replace('x-amz-date', 'host'),
    usual.replace('host;', ';'),
    usual.replace('host;', 'host;;'),
    usual.replace('x-amz-date', ''),
    usual.replace(/.$/, 'F'),
    usual.replace(/.$/, ''),
    `${usual}0`,
    usual.replace('AKIA', 'AK,IA'),
    usual.replace('AKIA', ''),
    usual.replace('/s3', ''),
    usual.replace('AWS4-HMAC', 'AWS4-ECDSA-P256'),
  ]) {
    t.equal(parseUsualHeader(header), 'another', header)
  }
  t.end()
})

const read = (authorization: string) => {
  const fields = new Map([
    ['authorization', authorization],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['x-amz-date', '20130524T000000Z'],
  ])
  let found: unknown
  const error = errorOf(() => (found = parseAuthorization(fields, new Map())))
  return error === undefined ? found : [error.code, error.message, error.extra]
}

const word = fc.oneof(
  fc.constantFrom('', 'aws4_request', '20130524', 's3', 'a b', 'a,b', 'ü', '\t', ';', '/', '='),
  fc.string(),
)
const part = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('us-east-1', 's3', 'host', 'x-amz-date', signature) },
  word,
)
const header = fc
  .tuple(
    fc.array(part, { minLength: 1, maxLength: 6 }),
    fc.array(part, { maxLength: 5 }),
    part,
    fc.constantFrom(',', ', ', ' ,', ', , '),
  )
  .map(([credential, names, signed, comma]) =>
    [
      `AWS4-HMAC-SHA256 Credential=${credential.join('/')}/aws4_request`,
      `SignedHeaders=${names.join(';')}`,
      `Signature=${signed}`,
    ].join(comma),
  )
const mutated = fc
  .tuple(fc.nat({ max: usual.length }), fc.nat({ max: 3 }), word)
  .map(([at, cut, other]) => usual.slice(0, at) + other + usual.slice(at + cut))

t.test('whatever a header is, it means what the general parser takes it for', (t) => {
  // A space in front is nothing to the general parser, and no usual form.
  const agrees = (text: string): boolean => {
    const general = read(` ${text}`)
    t.same(read(text), general, text)
    return true
  }
  fc.assert(fc.property(fc.oneof(header, mutated), agrees), { numRuns: 2000 })
  t.end()
})

t.test('many lists of names, and long ones, are read like the first', (t) => {
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 200; i += 1) {
      const list = usual.replace('x-amz-date', `x-amz-meta-${i}`)
      t.match(parseUsualHeader(list), { signedHeaders: ['host', `x-amz-meta-${i}`] })
    }
    const names = Array.from({ length: 2000 }, (_, i) => `x-amz-meta-${i}`)
    t.match(parseUsualHeader(usual.replace('x-amz-date', names.join(';'))), { signedHeaders: ['host', ...names] })
  }
  t.end()
})

/** As one that was verified. */
const remember = (header: string): void => {
  const read = parseUsualHeader(header)
  if (read !== 'another') rememberUsualHeader(read.scope)
}
const scopeOf = (header: string): unknown => {
  const read = parseUsualHeader(header)
  return read === 'another' ? read : read.scope
}

t.test(
  'after a verified header, whatever comes with its start, or nearly, means what the general parser takes it for',
  (t) => {
    const start = usual.slice(0, -64)
    const character = fc.oneof(
      fc.constantFrom('0', 'a', 'F', ',', ';', ' ', '\t', '=', '\n', '/'),
      fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    )
    const odd = fc.string({ unit: character, minLength: 64, maxLength: 64 })
    const onePlace = fc
      .tuple(fc.nat({ max: 63 }), character)
      .map(([at, other]) => signature.slice(0, at) + other + signature.slice(at + 1))
    const length = fc.integer({ min: 0, max: 130 }).map((size) => signature.repeat(3).slice(0, size))
    const tail = fc.oneof(odd, onePlace, length, word).map((text) => start + text)
    const cut = fc.nat({ max: usual.length }).map((at) => usual.slice(at))
    fc.assert(
      fc.property(fc.oneof(tail, mutated, cut), fc.boolean(), (text, other) => {
        if (other) remember(text)
        remember(usual)
        t.same(read(text), read(` ${text}`), text)
      }),
      { numRuns: 3000 },
    )
    t.end()
  },
)

t.test('what was verified is kept, one and the same for all', (t) => {
  const other = usual.replace(/.{64}$/, (hex) => hex.split('').reverse().join(''))
  const mine = usual.replace('AKIA', 'MINE')
  t.not(scopeOf(mine), scopeOf(mine), 'not what was only read')
  remember(usual)
  remember(other)
  t.equal(scopeOf(other), scopeOf(usual))
  const found = parseUsualHeader(other)
  t.match(found, { signature: other.slice(-64), scope: { accessKeyId: 'AKIA' } })
  t.ok(found !== 'another' && Object.isFrozen(found.scope) && Object.isFrozen(found.signedHeaders))
  const theirs = { accessKeyId: 'AKIA', date: '20130524', region: 'us-east-1', service: 's3' }
  rememberUsualHeader(theirs)
  t.not(scopeOf(usual), theirs)
  t.end()
})

t.test('those of many clients are kept at once, each with its lists', (t) => {
  const of = (i: number): string =>
    usual
      .replace('AKIA', `AKIA${i % 40}`)
      .replace('host;', `host;${'x-amz-acl;range;te;'.slice(0, [0, 10, 16, 19][Math.floor(i / 40)])}`)
  const headers = Array.from({ length: 160 }, (_, i) => of(i))
  for (const header of headers) remember(header)
  const scopes = headers.map(scopeOf)
  for (const [i, header] of headers.entries()) if (scopeOf(header) !== scopes[i]) t.fail(header)
  t.end()
})

t.test('of those that share a place the last used are kept, up to a bound, and none that is long', (t) => {
  // The place is the access key id's beginning and the length.
  const of = (i: number): string => usual.replace('AKIA', `BOUND-THAT-IS-AS-LONG-AS-THIS-${String(i).padStart(2, '0')}`)
  for (let i = 0; i < 8; i += 1) remember(of(i))
  const scopes = Array.from({ length: 8 }, (_, i) => scopeOf(of(i)))
  scopes.forEach((scope, i) => t.equal(scopeOf(of(i)), scope))
  scopeOf(of(0))
  remember(of(8))
  t.equal(scopeOf(of(0)), scopes[0], 'used since')
  t.not(scopeOf(of(1)), scopes[1], 'the one that was not used for the longest time is gone')
  for (let i = 2; i < 8; i += 1) t.equal(scopeOf(of(i)), scopes[i])
  const long = usual.replace('AKIA', 'A'.repeat(1024))
  remember(long)
  t.not(scopeOf(long), scopeOf(long))
  t.equal(scopeOf(of(0)), scopes[0])
  t.end()
})
