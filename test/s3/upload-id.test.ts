import fc from 'fast-check'
import t from 'tap'
import { unwrapUploadId, wrapUploadId } from '../../src/s3/upload-id.js'
import { refusal } from './refusal.js'
import { unicode } from './unicode.js'

t.test('the form is frozen: uploads outlive a version of this program', (t) => {
  t.equal(wrapUploadId('2~abc', { keyring: 'main', keyVersion: 'v1' }), '2~abc.k1.bWFpbg.djE')
  t.strictSame(unwrapUploadId('2~abc.k1.bWFpbg.djE'), {
    upstreamId: '2~abc',
    key: { keyring: 'main', keyVersion: 'v1' },
    checksum: 'other',
  })
  t.equal(wrapUploadId('2~abc', { keyring: 'main', keyVersion: 'v1' }, 'md5'), '2~abc.k2.bWFpbg.djE')
  t.strictSame(unwrapUploadId('2~abc.k2.bWFpbg.djE'), {
    upstreamId: '2~abc',
    key: { keyring: 'main', keyVersion: 'v1' },
    checksum: 'md5',
  })
  t.end()
})

t.test('any id and names come back', (t) => {
  const id = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a.k1.bWFpbg.djE', '.k1.', 'x.k1.a.b', '\n'))
  const name = unicode({ minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(
      id,
      name,
      name,
      fc.constantFrom('md5' as const, 'other' as const),
      (upstreamId, keyring, keyVersion, sum) => {
        const wrapped = wrapUploadId(upstreamId, { keyring, keyVersion }, sum)
        const { upstreamId: again, key, checksum } = unwrapUploadId(wrapped)
        return (
          checksum === sum &&
          again === upstreamId &&
          key !== 'unknown' &&
          key.keyring === keyring &&
          key.keyVersion === keyVersion
        )
      },
    ),
  )
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('', 'a', '.'), (left, right) => {
      const { upstreamId, key, checksum } = unwrapUploadId(left + right)
      if (key === 'unknown' || checksum === 'unknown') return upstreamId === left + right
      return wrapUploadId(upstreamId, key, checksum) === left + right
    }),
  )
  t.end()
})

t.test('proxies behind proxies peel one layer each', (t) => {
  const inner = wrapUploadId('u', { keyring: 'inner', keyVersion: '1' })
  const outer = wrapUploadId(inner, { keyring: 'outer', keyVersion: '2' })
  t.strictSame(unwrapUploadId(outer), {
    upstreamId: inner,
    key: { keyring: 'outer', keyVersion: '2' },
    checksum: 'other',
  })
  t.end()
})

t.test('what no proxy made is an upstream id', (t) => {
  const odd = [
    '',
    '.',
    'abc',
    '.k1.bWFpbg.djE',
    'u.k1.bWFpbg.',
    'u.k1..djE',
    'u.k1.bWFpbg',
    'u.k1.bWFpbg.djE.',
    'u.k1.bWFpbg.djE\n',
    'u.k1.bWFpbg=.djE',
    'u.k1.bWFpbg.djF',
    'u.k1.bWFpb.djE',
    'u.k1._w.djE',
    'u.k1.+.djE',
    'u.K1.bWFpbg.djE',
    'u.k3.bWFpbg.djE',
    'u.k2.bWFpbg.djF',
    `${'u'.repeat(8192)}.k1.bWFpbg.djE`,
  ]
  for (const id of odd)
    t.strictSame(
      unwrapUploadId(id),
      { upstreamId: id, key: 'unknown', checksum: 'unknown' },
      JSON.stringify(id.slice(0, 40)),
    )
  t.end()
})

t.test('what could not be read again is not made', (t) => {
  const key = { keyring: 'main', keyVersion: 'v1' }
  t.equal(refusal(() => wrapUploadId('', key)).code, 'InternalError')
  t.equal(refusal(() => wrapUploadId('u', { ...key, keyring: '' })).code, 'InternalError')
  t.equal(refusal(() => wrapUploadId('u', { ...key, keyVersion: '' })).code, 'InternalError')
  t.equal(refusal(() => wrapUploadId('u'.repeat(9000), key)).code, 'InternalError')
  t.end()
})
