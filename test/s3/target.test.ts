import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { runs } from '../support/runs.js'
import { encodePath } from '../../src/s3/encode.js'
import { bucketInHost, parseTarget, splitTarget } from '../../src/s3/target.js'
import { bytesOf, refusal } from './refusal.js'
import { unicode } from './unicode.js'

const HOST = 'proxy.test'
const keyOf = (rawPath: string, host = HOST, domains: string[] = []) => {
  const target = parseTarget(rawPath, host, domains)
  return target.type === 'object' ? [target.bucket, target.objectKey] : [target.type]
}

t.test('splits at the first ?', (t) => {
  t.strictSame(splitTarget('/b/k?a=1?b&c'), { rawPath: '/b/k', rawQuery: 'a=1?b&c' })
  t.strictSame(splitTarget('/b/k'), { rawPath: '/b/k', rawQuery: '' })
  t.strictSame(splitTarget('/?'), { rawPath: '/', rawQuery: '' })
  t.strictSame(splitTarget('//x/../y%2F'), { rawPath: '//x/../y%2F', rawQuery: '' }, 'nothing is normalised')
  t.strictSame(splitTarget('/b/http://c/d'), { rawPath: '/b/http://c/d', rawQuery: '' })
  t.end()
})

t.test('absolute-form is reduced to its path', (t) => {
  t.strictSame(splitTarget('http://h.test:80/b//k?acl'), { rawPath: '/b//k', rawQuery: 'acl' })
  t.strictSame(splitTarget('HTTPS://u@h.test'), { rawPath: '/', rawQuery: '' })
  t.strictSame(splitTarget('http://h.test?a'), { rawPath: '/', rawQuery: 'a' })
  t.end()
})

t.test('other forms are refused', (t) => {
  for (const raw of ['', '*', 'b/k', 'h.test:443', 'ftp://h/b', '/b/k#f', '/b/k?a#f', 'http://h#/b', '?acl']) {
    t.equal(refusal(() => splitTarget(raw)).code, 'InvalidURI', JSON.stringify(raw))
  }
  t.end()
})

t.test('path style', (t) => {
  t.strictSame(parseTarget('/', HOST, []), { type: 'service' })
  t.strictSame(parseTarget('/bucket', HOST, []), { type: 'bucket', bucket: 'bucket' })
  t.strictSame(parseTarget('/bucket/', HOST, []), { type: 'bucket', bucket: 'bucket' })
  t.strictSame(parseTarget('/bucket/k', HOST, []), { type: 'object', bucket: 'bucket', objectKey: 'k' })
  t.strictSame(keyOf('/b%75cket/k'), ['bucket', 'k'])
  t.end()
})

t.test('odd keys stay what they are', (t) => {
  const keys: Record<string, string> = {
    'a//b': 'a//b',
    '/x': '/x',
    '//': '//',
    'a/': 'a/',
    '../x': '../x',
    './x': './x',
    '..': '..',
    '.': '.',
    'a/../../b': 'a/../../b',
    'a%2Fb': 'a/b',
    '%2F': '/',
    '%2e%2e%2Fx': '../x',
    'a%252Fb': 'a%2Fb',
    'a%2Bb': 'a+b',
    'a+b': 'a b',
    'a%20b': 'a b',
    '@=*~&;:,$!()': '@=*~&;:,$!()',
    'a%3Fb%23c': 'a?b#c',
    'a\\b': 'a\\b',
    'a.': 'a.',
    '%C3%A4': 'ä',
    '\xc3\xa4': 'ä',
    '%F0%9F%98%80': '😀',
    '%EF%BB%BF': '\ufeff',
    '%00': '\0',
    '%0D%0A': '\r\n',
    soap: 'soap',
    'a:80': 'a:80',
  }
  for (const [raw, key] of Object.entries(keys)) {
    t.strictSame(keyOf(`/bucket/${raw}`), ['bucket', key], raw)
    t.strictSame(keyOf(`/${raw}`, 'bucket.s3.test', ['s3.test']), ['bucket', key], `virtual-hosted ${raw}`)
  }
  t.end()
})

t.test('keys of 1024 bytes, not of more', (t) => {
  t.strictSame(keyOf(`/bucket/${'k'.repeat(1024)}`), ['bucket', 'k'.repeat(1024)])
  t.strictSame(keyOf(`/bucket/${'%C3%A4'.repeat(512)}`), ['bucket', 'ä'.repeat(512)])
  t.equal(refusal(() => keyOf(`/bucket/${'k'.repeat(1025)}`)).code, 'KeyTooLongError')
  t.equal(refusal(() => keyOf(`/bucket/${'%C3%A4'.repeat(512)}k`)).code, 'KeyTooLongError')
  t.end()
})

t.test('any key comes back, in both styles, encoded or raw', (t) => {
  const key = unicode({ minLength: 1, maxLength: 250 })
  fc.assert(
    fc.property(key, (objectKey) => {
      const wanted = ['bucket', objectKey]
      const raw = bytesOf(objectKey)
      return (
        isDeepStrictEqual(keyOf(`/bucket/${encodePath(objectKey)}`), wanted) &&
        isDeepStrictEqual(keyOf(`/${encodePath(objectKey)}`, 'bucket.s3.test', ['s3.test']), wanted) &&
        (/[%+]/.test(raw) || isDeepStrictEqual(keyOf(`/bucket/${raw}`), wanted))
      )
    }),
  )
  t.end()
})

t.test('virtual-hosted style', (t) => {
  const domains = ['s3.test', 'eu.s3.test']
  const at = (host: string, rawPath = '/k') => parseTarget(rawPath, host, domains)
  const object = { type: 'object', bucket: 'bucket', objectKey: 'k' }
  t.strictSame(at('bucket.s3.test'), object)
  t.strictSame(at('BUCKET.S3.Test:8443'), object)
  t.strictSame(at('bucket.s3.test.'), object)
  t.strictSame(at('bucket.s3.test:'), object)
  t.strictSame(at('bucket.eu.s3.test'), object, 'the longest base domain counts')
  t.strictSame(at('bucket.s3.test', '/'), { type: 'bucket', bucket: 'bucket' })
  t.strictSame(at('my.bucket.s3.test'), { ...object, bucket: 'my.bucket' })
  t.strictSame(at('eu.s3.test', '/bucket/k'), object, 'a base domain itself is path style')
  t.strictSame(at('s3.test:443', '/bucket/k'), object)
  t.strictSame(at('bucketxs3.test', '/bucket/k'), object, 'no label of its own: another host')
  t.strictSame(at('other.example', '/bucket/k'), object)
  t.strictSame(at('[::1]:9000', '/bucket/k'), object)
  t.strictSame(at('', '/bucket/k'), object)
  t.end()
})

t.test('names that are none', (t) => {
  for (const rawPath of ['//', '//k', '/../k', '/./k', '/b%2Fk', '/a%40b/k', '/a..b/k', '/ab', '/%C3%A4%C3%A4/k']) {
    t.equal(refusal(() => keyOf(rawPath)).code, 'InvalidBucketName', rawPath)
  }
  for (const host of ['.s3.test', 'a@b.s3.test', 'a..b.s3.test', 'a/b.s3.test', 'a:b.s3.test', 'a#b.s3.test']) {
    t.equal(refusal(() => keyOf('/k', host, ['s3.test'])).code, 'InvalidBucketName', host)
  }
  for (const rawPath of ['', 'bucket/k', '/bucket/%zz', '/bucket/%FF', '/%zz/k']) {
    t.equal(refusal(() => keyOf(rawPath)).code, 'InvalidURI', rawPath)
  }
  t.end()
})

t.test('the bucket in a host is what stands before the longest base domain, read plainly', (t) => {
  const plainly = (host: string, domains: readonly string[]) => {
    const name = host.trim().toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
    const fitting = domains.filter((domain) => name.endsWith(`.${domain}`)).toSorted((a, b) => b.length - a.length)
    return domains.includes(name) || fitting[0] === undefined ? undefined : name.slice(0, -fitting[0].length - 1)
  }
  const pieces = fc.constantFrom('a', 'B', '.', '.s3.test', 's3.test', '.test', ':', ':80', ' ', '9')
  const host = fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join(''))
  const domains = fc.subarray(['s3.test', 'test', 'a.s3.test', 'b'])
  fc.assert(
    fc.property(host, domains, (name, bases) => bucketInHost(name, bases) === plainly(name, bases)),
    { numRuns: runs(3000) },
  )
  t.end()
})

t.test('what one request found out of its host counts for the same base domains only', async (t) => {
  const [one, other] = [['s3.example.com'], ['example.com']]
  for (let again = 0; again < 2; again += 1) {
    t.equal(bucketInHost('a.s3.example.com', one), 'a')
    t.equal(bucketInHost('photos.example.com', one), undefined)
    t.equal(bucketInHost('photos.example.com', other), 'photos')
    t.equal(bucketInHost('PHOTOS.example.com', one), undefined)
  }
})
