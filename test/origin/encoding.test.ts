import fc from 'fast-check'
import t from 'tap'
import { decodeOnce, encodePath, encodeStrict, parseQuery } from '../../src/origin/encoding.js'
import { parseDocument, textOf, leaf, branch } from '../../src/origin/xml.js'

/** Any text that UTF-8 can carry. */
const anyText = fc
  .array(fc.integer({ max: 0x10ffff, min: 0 }).filter((code) => code < 0xd800 || code > 0xdfff))
  .map((codes) => String.fromCodePoint(...codes))

t.test('what is encoded is decoded to the same', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyText, (text) => {
        return decodeOnce(encodeStrict(text)) === text && decodeOnce(encodePath(text)) === text
      }),
    ),
  )
})

t.test('only unreserved characters stay bare', async (t) => {
  t.equal(encodeStrict("aZ09-._~ !'()*+/&=é"), 'aZ09-._~%20%21%27%28%29%2A%2B%2F%26%3D%C3%A9')
  t.equal(encodePath('/a b//../c'), '/a%20b//../c')
})

t.test('decoding is done once and refuses what is broken', async (t) => {
  t.equal(decodeOnce('%2520'), '%20')
  t.equal(decodeOnce('a+b%2Bc'), 'a b+c', 'a bare + is a space')
  t.equal(decodeOnce('e%CC%81'), 'e\u0301', 'nothing is composed')
  t.equal(decodeOnce('%EF%BB%BFa'), '\ufeffa', 'a byte order mark stays')
  for (const broken of ['%', '%2', '%zz', '%ff', '%C3', '%ED%A0%80']) {
    t.throws(() => decodeOnce(broken), { code: 'InvalidURI' }, broken)
  }
})

t.test('a query keeps empty values and refuses to choose between two', async (t) => {
  t.strictSame(
    [...parseQuery('uploads&prefix=a%26b&x=&')],
    [
      ['uploads', ''],
      ['prefix', 'a&b'],
      ['x', ''],
    ],
  )
  t.throws(() => parseQuery('versionId=1&versionId=2'), { code: 'InvalidArgument' })
})

t.test('text goes through a document unchanged', async (t) => {
  const text = fc.string({ unit: 'grapheme-ascii' })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(text, (value) => {
        const bytes = Buffer.from(branch('Root', leaf('Key', value)))
        return textOf(parseDocument(bytes, 'Root'), 'Key') === value
      }),
    ),
  )
})

t.test('documents that are broken, or others, are refused', async (t) => {
  for (const broken of ['', 'x', '<a>', '<a></b>', '<Other/>', '<Root>&nope;</Root>', '<Root/><Root/>']) {
    t.throws(() => parseDocument(Buffer.from(broken), 'Root'), { code: 'MalformedXML' }, broken)
  }
})
