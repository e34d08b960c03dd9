import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { resolveETag, showETag } from '../../src/s3/etag.js'
import { bareETag, isMD5, mayNameMD5, md5ETag, resolveMD5 } from '../../src/s3/md5-etag.js'

const R = '0123456789abcdef0123456789abcdef'
const EMPTY = 'd41d8cd98f00b204e9800998ecf8427e'

t.test('checksums as ETags', (t) => {
  t.equal(md5ETag('1B2M2Y8AsgTpgAmY7PhCfg=='), EMPTY)
  t.equal(md5ETag('1B2M2Y8AsgTpgAmY7PhCfg==-1'), `${EMPTY}-1`)
  t.equal(md5ETag('1B2M2Y8AsgTpgAmY7PhCfg==-10000'), `${EMPTY}-10000`)
  for (const none of [
    undefined,
    '',
    EMPTY,
    '1B2M2Y8AsgTpgAmY7PhCfg',
    '1B2M2Y8AsgTpgAmY7PhCfh==',
    '1B2M2Y8AsgTpgAmY7PhCfg==-0',
    '1B2M2Y8AsgTpgAmY7PhCfg==-',
    ' 1B2M2Y8AsgTpgAmY7PhCfg==',
    '1B2M2Y8AsgTpgAmY7PhCfg==\n',
    '1B2M2Y8AsgTpgAmY7PhC_g==',
    'AAAAAA==',
  ]) {
    t.equal(md5ETag(none), 'none', String(none))
  }
  t.ok(isMD5('1B2M2Y8AsgTpgAmY7PhCfg=='))
  t.notOk(isMD5('1B2M2Y8AsgTpgAmY7PhCfg==-1'))
  t.end()
})

t.test('any MD5, of bytes or of parts, comes out as S3 writes it', (t) => {
  const md5 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(md5, fc.integer({ min: 1, max: 10_000 }), (bytes, parts) => {
      const base64 = bytes.toString('base64')
      return (
        md5ETag(base64) === bytes.toString('hex') &&
        md5ETag(`${base64}-${parts}`) === `${bytes.toString('hex')}-${parts}` &&
        isMD5(base64)
      )
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const etag = md5ETag(text)
      return etag === 'none' || Buffer.from(etag.slice(0, 32), 'hex').toString('base64') + etag.slice(32) === text
    }),
  )
  t.end()
})

t.test('what a client names', (t) => {
  const object = { raw: R, md5: EMPTY }
  const resolved: Record<string, string> = {
    [`"${EMPTY}"`]: `"${R}"`,
    [EMPTY]: R,
    [`"${EMPTY.toUpperCase()}"`]: `"${R}"`,
    [`W/"${EMPTY}"`]: `W/"${R}"`,
    [`"${R}", "${EMPTY}","${EMPTY}-2", *`]: `"${R}", "${R}","${EMPTY}-2", *`,
    [`&quot;${EMPTY}&quot;`]: `&quot;${R}&quot;`,
  }
  for (const [value, wanted] of Object.entries(resolved)) {
    t.ok(mayNameMD5(value), value)
    t.equal(resolveMD5(value, object), wanted, value)
  }
  for (const other of [
    `"${EMPTY}-0"`,
    `${EMPTY}0`,
    `x${EMPTY}`,
    '*',
    '',
    'W/"x"',
    `"${EMPTY}--gzip"`,
    `"${EMPTY}-01"`,
    'Wed, 21 Oct 2015 07:28:00 GMT',
  ]) {
    t.notOk(mayNameMD5(other), other)
    t.equal(resolveMD5(other, object), other)
  }
  t.equal(resolveMD5(`"${EMPTY}-3"`, { raw: `${R}-3`, md5: `${EMPTY}-3` }), `"${R}-3"`)
  t.equal(resolveMD5(`"${EMPTY}"`, { raw: R, md5: 'none' }), `"${EMPTY}"`, 'an object without MD5 has no other name')
  t.end()
})

t.test('however it is named and among whatever, an object is found, and only by its names', (t) => {
  const hex = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'))
  const tail = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 1, max: 10_000 }).map((parts) => `-${parts}`),
  )
  const etag = fc.tuple(hex, tail).map(([digest, parts]) => digest + parts)
  const quoted = (text: string) => fc.constantFrom(`"${text}"`, `W/"${text}"`, text)
  fc.assert(
    fc.property(
      etag,
      etag,
      etag,
      fc.constantFrom(',', ', ', ' , '),
      fc.boolean(),
      fc.gen(),
      (raw, md5, other, comma, first, gen) => {
        fc.pre(new Set([raw, md5, other]).size === 3)
        const name = gen(() => fc.constantFrom(raw, md5, showETag(raw)))
        const mine = gen(quoted, name)
        const theirs = gen(quoted, other)
        const sent = (first ? [mine, theirs] : [theirs, mine]).join(comma)
        // As the stages do it: what may be an MD5 first, then what `-0` marks.
        const seen = resolveETag(resolveMD5(sent, { raw, md5 }))
        const names = seen.split(',').map((one) => bareETag(one))
        return names.includes(raw) && names.includes(other) && names.length === 2
      },
    ),
  )
  t.end()
})

t.test('MD5 is the MD5', (t) => {
  const checksum = createHash('md5').update('abc').digest('base64')
  t.equal(md5ETag(checksum), '900150983cd24fb0d6963f7d28e17f72')
  t.end()
})
