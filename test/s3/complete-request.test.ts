import t from 'tap'
import { resolveETagsInXml } from '../../src/s3/complete-request.js'
import { resolveETag } from '../../src/s3/etag.js'
import { refusal } from './refusal.js'

const R = '0123456789abcdef0123456789abcdef'
const resolved = (xml: string) => resolveETagsInXml(Buffer.from(xml), resolveETag).toString()

t.test('quoted, escaped and bare ETags', (t) => {
  t.equal(
    resolved(
      `<?xml version="1.0"?>\n<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n` +
        `<Part><PartNumber>1</PartNumber><ETag>"${R}-0"</ETag></Part>` +
        `<Part><ETag>&quot;${R}-0&quot;</ETag><ChecksumCRC32>AA==</ChecksumCRC32></Part>` +
        `<Part><ETag>${R}-0</ETag></Part><Part><ETag>&#34;${R}-0&#x22;</ETag></Part>` +
        `<Part><ETag>"${R}"</ETag></Part><Part><ETag>\n "${R}-0" </ETag></Part></CompleteMultipartUpload>`,
    ),
    `<?xml version="1.0"?>\n<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n` +
      `<Part><PartNumber>1</PartNumber><ETag>&quot;${R}&quot;</ETag></Part>` +
      `<Part><ETag>&quot;${R}&quot;</ETag><ChecksumCRC32>AA==</ChecksumCRC32></Part>` +
      `<Part><ETag>${R}</ETag></Part><Part><ETag>&quot;${R}&quot;</ETag></Part>` +
      `<Part><ETag>"${R}"</ETag></Part><Part><ETag>\n &quot;${R}&quot; </ETag></Part></CompleteMultipartUpload>`,
  )
  t.equal(
    resolved(`<Delete><Object><Key>${R}-0</Key><ETag>${R}-0</ETag></Object></Delete>`),
    `<Delete><Object><Key>${R}-0</Key><ETag>${R}</ETag></Object></Delete>`,
    'names of objects are none',
  )
  t.end()
})

t.test('the same bytes where nothing changes: their digest still fits', (t) => {
  for (const xml of [`<C><ETag>"${R}"</ETag></C>`, '<C/>', '']) {
    const bytes = Buffer.from(xml)
    t.equal(resolveETagsInXml(bytes, resolveETag), bytes)
  }
  t.end()
})

t.test('a document that is none is refused', (t) => {
  for (const xml of ['<C>', 'x', '<!DOCTYPE C><C/>', `<C><ETag>${R}-0</C>`, '<C>\xff</C>', '<C>&x;</C>']) {
    t.equal(refusal(() => resolveETagsInXml(Buffer.from(xml, 'latin1'), resolveETag)).code, 'MalformedXML', xml)
  }
  t.end()
})

t.test('10,000 parts', (t) => {
  const part = (suffix: string) => `<Part><ETag>"${R}${suffix}"</ETag><PartNumber>1</PartNumber></Part>`
  const document = resolved(`<C>${part('-0').repeat(10000)}</C>`)
  t.equal(document, `<C>${part('').replaceAll('"', '&quot;').repeat(10000)}</C>`)
  t.end()
})
