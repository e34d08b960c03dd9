import { createHash, createSecretKey, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { derivationInfo, derivationKey, deriveDataKey, expand, extract } from '../../src/keyring/derive.js'
import { bytesOf, hex, isSame, type Vectors } from './material.js'

const file = new URL('../vectors/keys/derivation-v1.json', import.meta.url)
const { vectors, derivation } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const bytes = (text: string) => Buffer.from(text, 'hex')

// RFC 5869, appendix A: the three cases with SHA-256.
const range = (from: number, to: number) => Buffer.from(Array.from({ length: to - from + 1 }, (_, i) => from + i))
const RFC_5869 = [
  {
    ikm: Buffer.alloc(22, 0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    length: 42,
    prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    ikm: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    length: 82,
    prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
    okm:
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c' +
      '59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71' +
      'cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    ikm: Buffer.alloc(22, 0x0b),
    salt: Buffer.alloc(0),
    info: Buffer.alloc(0),
    length: 42,
    prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
]

t.test('HKDF-SHA256 is that of RFC 5869, to its first 32 bytes', async (t) => {
  for (const { ikm, salt, info, length, prk, okm } of RFC_5869) {
    t.equal(okm.length, 2 * length)
    t.equal(extract(salt, ikm).toString('hex'), prk)
    t.equal(Buffer.from(expand(bytes(prk), info), 'base64').toString('hex'), okm.slice(0, 64))
  }
})

t.test('HKDF-SHA256 is that of node:crypto, where that takes the info', async () => {
  const property = fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 64 }),
    fc.uint8Array({ maxLength: 1024 }),
    (ikm, info) => {
      const ours = expand(extract('', Buffer.from(ikm)), Buffer.from(info))
      return ours === Buffer.from(hkdfSync('sha256', ikm, '', info, 32)).toString('base64')
    },
  )
  fc.assert(property, { numRuns: 200 })
})

t.test('a data key is HKDF-SHA256 of node:crypto over the info, for any names', async () => {
  const master = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
  const property = fc.property(master, name, name, (ikm, objectKey, bucket) => {
    fc.pre(!bucket.includes('\0'))
    const ours = deriveDataKey(derivationKey(createSecretKey(ikm)), bucket, objectKey)
    const info = derivationInfo(bucket, objectKey)
    fc.pre(info.length <= 1024)
    return ours.export().equals(Buffer.from(hkdfSync('sha256', ikm, '', info, 32)))
  })
  fc.assert(property, { numRuns: 500 })
})

t.test('the golden vectors', async (t) => {
  t.equal(derivation, 'ssec-proxy/v1')
  for (const { name, masterKey, bucketIdentity, objectKey, dataKey, dataKeyMD5 } of vectors) {
    const key = deriveDataKey(derivationKey(createSecretKey(bytes(masterKey))), bucketIdentity, objectKey)
    t.ok(hex(key) === dataKey, name)
    t.equal(createHash('md5').update(key.export()).digest('base64'), dataKeyMD5, name)
    const info = Buffer.from(`ssec-proxy/v1\0${bucketIdentity}\0${objectKey}`)
    if (info.length > 1024) continue
    t.ok(Buffer.from(hkdfSync('sha256', bytes(masterKey), '', info, 32)).toString('hex') === dataKey, name)
  }
  t.ok(vectors.some(({ objectKey }) => Buffer.byteLength(objectKey) === 1024))
  t.equal(new Set(vectors.map(({ dataKey }) => dataKey)).size, vectors.length, 'no two objects share a key')
})

t.test('the golden vectors are frozen: whoever must edit them makes objects unreadable', async (t) => {
  const digest = createHash('sha256').update(JSON.stringify(vectors)).digest('hex')
  t.equal(digest, '399ef4999962f1e3ceb259e0120492fdd517867a87a0beed90de755b7d1d9802')
})

const identity = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !text.includes('\0'))
const objectKey = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 })
// Few letters, so that boundaries between the two are often ambiguous in a careless encoding.
const tight = (first: string) => fc.string({ unit: fc.constantFrom(...Array.from(first)), minLength: 1, maxLength: 4 })

t.test('no two objects share their info', async () => {
  const names = fc.oneof(fc.tuple(identity, objectKey), fc.tuple(tight('ab/'), tight('ab/\0')))
  const property = fc.property(names, names, ([bucketA, keyA], [bucketB, keyB]) => {
    const same = bucketA === bucketB && keyA === keyB
    return derivationInfo(bucketA, keyA).equals(derivationInfo(bucketB, keyB)) === same
  })
  fc.assert(property, { numRuns: 2000 })
})

t.test('text in which two objects could share their info is refused', async (t) => {
  const denied = { name: 'S3Error', code: 'AccessDenied' }
  t.throws(() => derivationInfo('bucket\0x', 'y'), denied)
  t.throws(() => derivationInfo('bucket', 'a\ud800b'), denied, 'would be U+FFFD in UTF-8')
  t.throws(() => derivationInfo('bucket', '\udc00'), denied)
  t.throws(() => derivationInfo('b\ud800', 'a'), denied)
  t.doesNotThrow(() => derivationInfo('bucket', '\u{1f511}\ufffd'))
})

t.test('neither normalised nor folded: what S3 takes for two objects has two keys', async (t) => {
  const prk = derivationKey(createSecretKey(bytesOf('master')))
  for (const [a, b] of [
    ['café', 'cafe\u0301'],
    ['A', 'a'],
    ['a', 'a/'],
    ['a//b', 'a/b'],
    ['a%2Fb', 'a/b'],
  ] as const) {
    t.notOk(isSame(deriveDataKey(prk, 'bucket', a), deriveDataKey(prk, 'bucket', b)), JSON.stringify([a, b]))
  }
})

t.test('a data key prints no bytes', async (t) => {
  const key = deriveDataKey(derivationKey(createSecretKey(bytesOf('master'))), 'bucket', 'object')
  const shown = `${inspect({ key }, { showHidden: true, depth: 9, getters: true })}${JSON.stringify({ key })}${String(key)}`
  t.match(shown, /\[key\]/)
  t.notOk(shown.includes(hex(key)))
  t.notOk(shown.includes(key.export().toString('base64')))
})
