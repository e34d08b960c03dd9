import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { formatCopySource, parseCopySource } from '../../src/s3/copy-source.js'
import { parseBucket, parseObjectKey, parseVersionId } from '../../src/s3/names.js'
import { refusal } from './refusal.js'
import { unicode } from './unicode.js'

const latest = { type: 'latest' }

t.test('every way in which clients write it', (t) => {
  const sources: Record<string, string> = {
    'bucket/a/b': 'a/b',
    '/bucket/a/b': 'a/b',
    'bucket%2Fa%2Fb': 'a/b',
    '%2Fbucket%2Fa%2Fb': 'a/b',
    'bucket/a%20b': 'a b',
    'bucket/a+b': 'a b',
    'bucket/a%2Bb': 'a+b',
    'bucket/a%252Fb': 'a%2Fb',
    'bucket//x': '/x',
    'bucket/../x': '../x',
    'bucket/a%3FversionId=x': 'a?versionId=x',
    'bucket/%C3%A4': 'ä',
    'bucket/\xc3\xa4': 'ä',
    'bucket/a%0Ab': 'a\nb',
    'bucket/arn:aws:x': 'arn:aws:x',
  }
  for (const [value, objectKey] of Object.entries(sources)) {
    t.strictSame(parseCopySource(value), { bucket: 'bucket', objectKey, version: latest }, value)
  }
  t.strictSame(parseCopySource('/bucket/k?versionId=null').version, { type: 'id', versionId: 'null' })
  t.strictSame(parseCopySource('bucket/k?versionId=a%2Bb').version, { type: 'id', versionId: 'a+b' })
  t.strictSame(parseCopySource('bucket/k?versionId=a+b').version, { type: 'id', versionId: 'a+b' })
  t.end()
})

t.test('what is no source is refused', (t) => {
  const codes: Record<string, string> = {
    '': 'InvalidArgument',
    bucket: 'InvalidArgument',
    '/': 'InvalidArgument',
    'bucket/': 'InvalidArgument',
    '/bucket/': 'InvalidArgument',
    '?versionId=x': 'InvalidArgument',
    'bucket/k?': 'InvalidArgument',
    'bucket/k?acl': 'InvalidArgument',
    'bucket/k?versionid=x': 'InvalidArgument',
    'bucket/k?versionId=': 'InvalidArgument',
    'bucket/k?versionId=a b': 'InvalidArgument',
    'bucket/k?versionId=a%0Ab': 'InvalidArgument',
    'bucket/what?now?versionId=x': 'InvalidArgument',
    '//bucket/k': 'InvalidBucketName',
    '../k': 'InvalidBucketName',
    'a@b.test/k': 'InvalidBucketName',
    'bucket/%zz': 'InvalidURI',
    'bucket/%FF': 'InvalidURI',
    'arn:aws:s3:eu-central-1:1:accesspoint/ap/object/k': 'NotImplemented',
    '/arn%3Aaws:s3:::x/k': 'NotImplemented',
    'ARN:aws:s3:::x/k': 'NotImplemented',
  }
  for (const [value, code] of Object.entries(codes)) t.equal(refusal(() => parseCopySource(value)).code, code, value)
  t.equal(refusal(() => parseCopySource(`bucket/${'k'.repeat(1025)}`)).code, 'KeyTooLongError')
  t.end()
})

t.test('any source comes back from the form that the upstream gets', (t) => {
  const key = unicode({ minLength: 1, maxLength: 250 })
  const version = fc.option(fc.stringMatching(/^[\x21-\x7e]{1,40}$/))
  fc.assert(
    fc.property(key, version, (objectKey, versionId) => {
      const source = {
        bucket: parseBucket('bucket'),
        objectKey: parseObjectKey(objectKey),
        version:
          versionId === null
            ? ({ type: 'latest' } as const)
            : ({ type: 'id', versionId: parseVersionId(versionId) } as const),
      }
      const value = formatCopySource(source)
      return (
        /^[A-Za-z0-9._~/%-]+(\?versionId=[A-Za-z0-9._~%-]+)?$/.test(value) &&
        isDeepStrictEqual(parseCopySource(value), source)
      )
    }),
  )
  t.end()
})
