import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { formatCompletedParts, readCompletedParts } from '../../src/s3/completed-parts.js'
import { readListedParts } from '../../src/s3/listed-parts.js'
import { showETagsIn } from '../../src/s3/shown-document.js'
import { fitsXml } from '../../src/s3/xml-text.js'
import { unicode } from './unicode.js'

const R = '0123456789abcdef0123456789abcdef'
const MD5 = '1B2M2Y8AsgTpgAmY7PhCfg=='
const HEX = 'd41d8cd98f00b204e9800998ecf8427e'

t.test('the parts of a completion', (t) => {
  const document = `<?xml version="1.0"?>\n<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    <Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part><Part><ETag>&quot;b&quot;</ETag><PartNumber>2</PartNumber><ChecksumMD5>x</ChecksumMD5></Part>
  </CompleteMultipartUpload>`
  const parts = readCompletedParts(Buffer.from(document))
  t.strictSame(parts, [
    [
      ['PartNumber', '1'],
      ['ETag', '"a"'],
    ],
    [
      ['ETag', '"b"'],
      ['PartNumber', '2'],
      ['ChecksumMD5', 'x'],
    ],
  ])
  for (const odd of [
    '<Other><Part/></Other>',
    '<CompleteMultipartUpload><Part>text</Part></CompleteMultipartUpload>',
    '<CompleteMultipartUpload>text</CompleteMultipartUpload>',
    '<CompleteMultipartUpload><Other/></CompleteMultipartUpload>',
    '<CompleteMultipartUpload><Part><ETag><b>x</b></ETag></Part></CompleteMultipartUpload>',
  ]) {
    t.equal(readCompletedParts(Buffer.from(odd)), 'odd', odd)
  }
  for (const malformed of ['', 'text', '<CompleteMultipartUpload>', '<!DOCTYPE x><CompleteMultipartUpload/>']) {
    t.throws(() => readCompletedParts(Buffer.from(malformed)), { code: 'MalformedXML' }, malformed)
  }
  t.end()
})

t.test('what is written is read again', (t) => {
  const name = fc.constantFrom('PartNumber', 'ETag', 'ChecksumMD5', 'Other')
  const part = fc.array(fc.tuple(name, unicode({ maxLength: 40 }).filter(fitsXml)), { maxLength: 4 })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      return isDeepStrictEqual(readCompletedParts(formatCompletedParts(parts)), parts)
    }),
  )
  t.end()
})

t.test('pages of ListParts', (t) => {
  const page = (more: string) =>
    readListedParts(
      Buffer.from(
        `<ListPartsResult xmlns="x"><Bucket>b</Bucket><Owner><ID>1</ID></Owner>${more}<Part><PartNumber>1</PartNumber><ETag>"${R}"</ETag><ChecksumMD5>${MD5}</ChecksumMD5></Part><Part><PartNumber>3</PartNumber><ETag>&quot;${R}&quot;</ETag></Part></ListPartsResult>`,
      ),
    )
  const one = page(
    '<ChecksumAlgorithm>MD5</ChecksumAlgorithm><NextPartNumberMarker>3</NextPartNumberMarker><IsTruncated>true</IsTruncated>',
  )
  t.strictSame(
    one.parts,
    new Map([
      [1, { etag: R, checksumMD5: MD5 }],
      [3, { etag: R, checksumMD5: 'none' }],
    ]),
    'nothing of one part is taken for another',
  )
  t.strictSame([one.algorithm, one.next], ['MD5', 3])
  const last = page('<NextPartNumberMarker>3</NextPartNumberMarker><IsTruncated>false</IsTruncated>')
  t.strictSame([last.algorithm, last.next], ['none', 'none'])
  t.end()
})

t.test('documents with checksums', (t) => {
  const shown = (document: string, operation = 'CopyObject') => showETagsIn(Buffer.from(document), operation).toString()
  const copy = (more: string) =>
    `<?xml version="1.0"?><CopyObjectResult><ETag>&quot;${R}&quot;</ETag>${more}</CopyObjectResult>`
  t.match(shown(copy(`<ChecksumMD5>${MD5}</ChecksumMD5>`)), new RegExp(`<ETag>(&quot;|")${HEX}(&quot;|")</ETag>`))
  t.match(shown(copy('')), `${R}-0`)
  t.match(shown(copy('<ChecksumMD5>none</ChecksumMD5>')), `${R}-0`)
  t.match(shown(copy('<ChecksumCRC32>AAAAAA==</ChecksumCRC32>')), `${R}-0`)
  t.equal(shown('<Error><Code>x</Code></Error>'), '<Error><Code>x</Code></Error>')
  t.match(shown(`<C><ChecksumMD5>${MD5}-2</ChecksumMD5><ETag>"${R}-2"</ETag></C>`), `${HEX}-2`, 'in whatever order')
  t.equal(
    shown(`<C><ETag></ETag><ChecksumMD5>${MD5}</ChecksumMD5></C>`),
    `<C><ETag></ETag><ChecksumMD5>${MD5}</ChecksumMD5></C>`,
  )
  const parts = `<L><ETag>"${R}"</ETag><Part><ETag>"${R}"</ETag><ChecksumMD5>${MD5}</ChecksumMD5></Part><Part>\n<ETag>"${R}"</ETag></Part>ü</L>`
  t.strictSame(
    [...shown(parts, 'ListParts').matchAll(/[0-9a-f]{32}(?:-0)?/g)].map(([etag]) => etag),
    [R, HEX, `${R}-0`],
    'each part by itself',
  )
  t.match(shown(parts, 'ListParts'), 'ü')
  t.end()
})
