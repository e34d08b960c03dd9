import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { formatDeleteRequest, parseDeleteRequest } from '../../src/s3/delete-request.js'
import { parseObjectKey, parseVersionId } from '../../src/s3/names.js'
import { refusal } from './refusal.js'
import { unicode } from './unicode.js'

const parse = (xml: string) => parseDeleteRequest(Buffer.from(xml, 'utf8'))
const one = (content: string) => parse(`<Delete><Object>${content}</Object></Delete>`).objects[0]

t.test('what clients send', (t) => {
  t.strictSame(
    parse(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n' +
        '  <Quiet>true</Quiet>\n  <Object>\n    <Key>a/b c</Key>\n  </Object>\n' +
        '  <Object><Key>ä&amp;&#x1F600;</Key><VersionId>null</VersionId><ETag>"x"</ETag></Object>\n</Delete>\n',
    ),
    { quiet: true, objects: [{ objectKey: 'a/b c' }, { objectKey: 'ä&😀', versionId: 'null', etag: '"x"' }] },
  )
  t.strictSame(parse('\ufeff<Delete><Object><Key>a</Key></Object><Quiet> 0 </Quiet></Delete>'), {
    quiet: false,
    objects: [{ objectKey: 'a' }],
  })
  t.strictSame(one('<VersionId>v</VersionId><Key>k</Key>'), { objectKey: 'k', versionId: 'v' }, 'in any order')
  t.strictSame(one('<Key> a </Key>'), { objectKey: ' a ' }, 'white space belongs to the key')
  t.strictSame(one('<Key>a&#13;&#10;b</Key>'), { objectKey: 'a\r\nb' })
  t.strictSame(one('<Key>a\r\nb</Key>'), { objectKey: 'a\nb' }, 'as XML says')
  t.strictSame(one('<Key>&lt;&gt;&quot;&apos;]]&gt;</Key>'), { objectKey: '<>"\']]>' })
  t.end()
})

t.test('whatever is odd is refused', (t) => {
  const object = '<Object><Key>a</Key></Object>'
  const odd = [
    '',
    ' ',
    'x',
    '<Delete/>',
    '<Delete></Delete>',
    '<Delete><Quiet>true</Quiet></Delete>',
    '<Delete><Object/></Delete>',
    '<Delete><Object><Key/></Object></Delete>',
    '<Delete><Object><Key></Key></Object></Delete>',
    '<Delete><Object><VersionId>v</VersionId></Object></Delete>',
    '<Delete><Object><Key>a</Key><VersionId/></Object></Delete>',
    '<Delete><Object><Key>a</Key><ETag></ETag></Object></Delete>',
    '<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>',
    '<Delete><Object><Key>a</Key><VersionId>1</VersionId><VersionId>2</VersionId></Object></Delete>',
    '<Delete><Object><Key>a<Key>b</Key></Key></Object></Delete>',
    '<Delete><Object><Key>a<b/></Key></Object></Delete>',
    '<Delete><Object><key>a</key></Object></Delete>',
    '<Delete><Object><Key>a</Key><Other/></Object></Delete>',
    `<Delete>${object}<Object><Object><Key>a</Key></Object></Object></Delete>`,
    `<Delete>${object}x</Delete>`,
    '<Delete><Object>x<Key>a</Key></Object></Delete>',
    '<Delete><Object><Key>a</Key>x</Object></Delete>',
    `<Delete>${object}<Quiet>yes</Quiet></Delete>`,
    `<Delete>${object}<Quiet></Quiet></Delete>`,
    `<Delete>${object}<Quiet>constructor</Quiet></Delete>`,
    `<Delete>${object}<Quiet>true</Quiet><Quiet>true</Quiet></Delete>`,
    `<delete>${object}</delete>`,
    `<s3:Delete xmlns:s3="u">${object}</s3:Delete>`,
    `<Root><Delete>${object}</Delete></Root>`,
    `<Delete>${object}</Delete><Delete>${object}</Delete>`,
    `<Delete>${object}`,
    `<Delete>${object}</Delet>`,
    `<Delete>${object}</Delete>x`,
    `<!DOCTYPE Delete><Delete>${object}</Delete>`,
    '<!DOCTYPE Delete [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
    '<!DOCTYPE Delete SYSTEM "file:///etc/passwd"><Delete><Object><Key>a</Key></Object></Delete>',
    '<Delete><Object><Key>&nbsp;</Key></Object></Delete>',
    '<Delete><Object><Key>&toString;</Key></Object></Delete>',
    '<Delete><Object><Key>&#0;</Key></Object></Delete>',
    '<Delete><Object><Key>&#xD800;</Key></Object></Delete>',
    '<Delete><Object><Key>\x01</Key></Object></Delete>',
    '<Delete><Object><Key>a<!-- -->b</Key></Object></Delete>',
    '<Delete><Object><Key>a<?p?>b</Key></Object></Delete>',
    '<Delete><Object><Key>a<![CDATA[b]]></Key></Object></Delete>',
    `<?xml version="1.1"?><Delete>${object}</Delete>`,
    `<?xml version="1.0" encoding="ISO-8859-1"?><Delete>${object}</Delete>`,
    `<?xml version="1.0" encoding="UTF-16"?><Delete>${object}</Delete>`,
    `<Delete ${Array.from({ length: 17 }, (_, i) => `a${i}=""`).join(' ')}>${object}</Delete>`,
    '<a>'.repeat(100000),
  ]
  for (const xml of odd) t.equal(refusal(() => parse(xml)).code, 'MalformedXML', xml.slice(0, 100))
  for (const bytes of [Buffer.from([0x80]), Buffer.from(`<Delete>${object}</Delete>`, 'utf16le')]) {
    t.equal(refusal(() => parseDeleteRequest(bytes)).code, 'MalformedXML')
  }
  t.equal(refusal(() => one('<Key>\xe4</Key>')).code, 'no error')
  const latin1 = Buffer.from('<Delete><Object><Key>\xe4</Key></Object></Delete>', 'latin1')
  t.equal(refusal(() => parseDeleteRequest(latin1)).code, 'MalformedXML', 'not UTF-8')
  t.end()
})

t.test('the limits of names, and conditions that would be lost', (t) => {
  t.equal(refusal(() => one(`<Key>${'k'.repeat(1025)}</Key>`)).code, 'KeyTooLongError')
  t.equal(refusal(() => one('<Key>k</Key><VersionId>a b</VersionId>')).code, 'InvalidArgument')
  t.equal(refusal(() => one('<Key>k</Key><Size>5</Size>')).code, 'NotImplemented')
  t.equal(refusal(() => one('<Key>k</Key><LastModifiedTime>x</LastModifiedTime>')).code, 'NotImplemented')
  t.end()
})

t.test('a thousand objects, not one more', (t) => {
  const many = (count: number) => `<Delete>${'<Object><Key>a</Key></Object>'.repeat(count)}</Delete>`
  t.equal(parse(many(1000)).objects.length, 1000)
  t.equal(refusal(() => parse(many(1001))).code, 'MalformedXML')
  t.end()
})

t.test('what was read is what is written again', (t) => {
  const fits = (text: string) => !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)
  const text = fc
    .oneof(unicode({ minLength: 1, maxLength: 100 }), fc.constantFrom(']]>', '&amp;', ' ', '\r', '\r\n', '<Key>'))
    .filter(fits)
  const entry = fc
    .tuple(text, fc.option(fc.stringMatching(/^[\x21-\x7e]{1,20}$/)), fc.option(text))
    .map(([objectKey, versionId, etag]) => ({
      objectKey: parseObjectKey(objectKey),
      ...(versionId === null ? {} : { versionId: parseVersionId(versionId) }),
      ...(etag === null ? {} : { etag }),
    }))
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), fc.boolean(), (objects, quiet) =>
      isDeepStrictEqual(parseDeleteRequest(formatDeleteRequest({ objects, quiet })), { objects, quiet }),
    ),
  )
  const odd = { quiet: false, objects: [{ objectKey: parseObjectKey('a\x01') }] }
  t.equal(refusal(() => formatDeleteRequest(odd)).code, 'MalformedXML', 'never another name in its place')
  t.end()
})
