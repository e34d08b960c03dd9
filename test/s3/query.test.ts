import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { encodeQuery, parseQuery } from '../../src/s3/query.js'
import { refusal } from './refusal.js'
import { unicode } from './unicode.js'

const parsed = (raw: string) => Object.fromEntries(parseQuery(raw))

t.test('parses', (t) => {
  t.strictSame(parsed(''), {})
  t.strictSame(parsed('acl'), { acl: '' })
  t.strictSame(parsed('acl='), { acl: '' })
  t.strictSame(parsed('&&a=1&&'), { a: '1' })
  t.strictSame(parsed('a=b=c'), { a: 'b=c' })
  t.strictSame(parsed('a=b?c'), { a: 'b?c' })
  t.strictSame(parsed('=x'), { '': 'x' })
  t.strictSame(parsed('a;b=c'), { 'a;b': 'c' })
  t.strictSame(parsed('prefix=a+b%2Bc%20d'), { prefix: 'a b+c d' }, '+ is a space, as S3 reads it')
  t.strictSame(parsed('p%72efix=%C3%A4\xc3\xa4'), { prefix: 'ää' })
  t.end()
})

t.test('a name that occurs twice is refused and named', (t) => {
  for (const raw of ['versionId=a&versionId=b', 'versionId&versionId', 'version%49d=a&versionId=a']) {
    t.strictSame(
      refusal(() => parseQuery(raw)),
      { code: 'InvalidArgument', extra: { ArgumentName: 'versionId' } },
    )
  }
  t.end()
})

t.test('what is no text is refused', (t) => {
  for (const raw of ['%', 'a=%zz', 'a=%FF', '\xff=1']) t.equal(refusal(() => parseQuery(raw)).code, 'InvalidURI')
  t.end()
})

t.test('encodes as the canonical request has it', (t) => {
  t.equal(encodeQuery(new Map()), '')
  t.equal(encodeQuery(parseQuery('uploads&prefix=a/b c')), 'prefix=a%2Fb%20c&uploads=')
  t.equal(encodeQuery(parseQuery('a-b=1&a=2&a.b=3')), 'a=2&a-b=1&a.b=3', 'sorted by name, not by name=value')
  t.equal(encodeQuery(parseQuery('b=1&B=2&%C3%A4=3&~=4')), '%C3%A4=3&B=2&b=1&~=4', 'sorted as encoded, by code point')
  t.end()
})

t.test('any query comes back', (t) => {
  const text = unicode()
  fc.assert(
    fc.property(
      fc.dictionary(
        text.filter((name) => name !== ''),
        text,
      ),
      (values) => {
        const query = new Map(Object.entries(values))
        return isDeepStrictEqual(parseQuery(encodeQuery(query)), query)
      },
    ),
  )
  t.end()
})
