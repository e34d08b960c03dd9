import fc from 'fast-check'
import t from 'tap'
import { resolveETag, showETag } from '../../src/s3/etag.js'

const R = '0123456789abcdef0123456789abcdef'
const S = 'FEDCBA98765432100123456789ABCDEF'

t.test('what looks like an MD5 gets -0', (t) => {
  const shown: Record<string, string> = {
    [`"${R}"`]: `"${R}-0"`,
    [R]: `${R}-0`,
    [S]: `${S}-0`,
    [`W/"${R}"`]: `W/"${R}-0"`,
    [`&quot;${R}&quot;`]: `&quot;${R}-0&quot;`,
    [`  "${R}"\n`]: `  "${R}-0"\n`,
  }
  for (const [raw, wanted] of Object.entries(shown)) {
    t.equal(showETag(raw), wanted)
    t.equal(resolveETag(wanted), raw)
  }
  t.end()
})

t.test('anything else is left alone', (t) => {
  for (const raw of [
    '',
    '*',
    '""',
    `"${R}-1"`,
    `"${R}-10000"`,
    `${R}-00`,
    `"${R}a"`,
    `"${R.slice(1)}"`,
    `"${R.slice(1)}g"`,
    `x${R}`,
    `${R}_`,
    `"${R}--gzip"`,
    'Wed, 21 Oct 2015 07:28:00 GMT',
  ]) {
    t.equal(showETag(raw), raw)
    t.equal(resolveETag(raw), raw)
  }
  t.end()
})

t.test("a client's conditions", (t) => {
  const resolved: Record<string, string> = {
    [`"${R}-0", "${S}-0"`]: `"${R}", "${S}"`,
    [`"${R}-0","${S}-0"`]: `"${R}","${S}"`,
    [`${R}-0,${S}-0`]: `${R},${S}`,
    [`W/"${R}-0", *, "${S}-2", "${S}"`]: `W/"${R}", *, "${S}-2", "${S}"`,
    [`"${R}"`]: `"${R}"`,
    [`"${R}-0-0"`]: `"${R}-0"`,
    [`"${R}-01"`]: `"${R}-01"`,
    [`"${R}-0-1"`]: `"${R}-0-1"`,
    [`"abc-0"`]: `"abc-0"`,
  }
  for (const [value, wanted] of Object.entries(resolved)) t.equal(resolveETag(value), wanted)
  t.end()
})

t.test('resolving undoes showing, on any text; nothing that S3 gives is shown as another', (t) => {
  const tag = fc.constantFrom(R, S, `${R}-0`, `${R}-0-0`, `${R}-1`, `${R}-17`)
  const piece = fc.oneof(tag, fc.constantFrom('"', 'W/', ', ', ',', ' ', '-0', '-', '*', '&quot;', 'a', '0', ';', '\n'))
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (raw) => resolveETag(showETag(raw)) === raw),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(text, text, (a, b) => a === b || showETag(a) !== showETag(b)),
    { numRuns: 500 },
  )
  t.end()
})
