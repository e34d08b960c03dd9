import type { Transform } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { showETag } from '../../src/s3/etag.js'
import { rewriteElements, rewriteWhole } from '../../src/s3/xml-rewrite.js'
import { MAX_ELEMENT_BYTES, type ElementRules } from '../../src/s3/xml-marker.js'

const R = '0123456789abcdef0123456789abcdef'
const upper = (text: string) => text.toUpperCase()
const whole = (xml: string, rules: ElementRules) => rewriteWhole(Buffer.from(xml), rules).toString()

/** Everything that comes out right after each chunk, then the rest. */
const feed = (stream: Transform, chunks: readonly Buffer[]) => {
  const out: Buffer[] = []
  stream.on('data', (chunk: Buffer) => out.push(chunk))
  const after: number[] = []
  for (const chunk of chunks) {
    stream.write(chunk)
    after.push(Buffer.concat(out).length)
  }
  stream.end()
  return { text: () => Buffer.concat(out).toString('latin1'), after }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

t.test('rewrites the text of the named elements', (t) => {
  t.equal(whole(`<A><ETag>"${R}"</ETag></A>`, { ETag: showETag }), `<A><ETag>&quot;${R}-0&quot;</ETag></A>`)
  t.equal(whole(`<ETag>&quot;${R}&quot;</ETag>`, { ETag: showETag }), `<ETag>&quot;${R}-0&quot;</ETag>`)
  t.equal(whole('<A><B>x</B><C>y</C><B>z</B></A>', { B: upper, C: () => '' }), '<A><B>X</B><C></C><B>Z</B></A>')
  t.equal(whole('<B a="x>y" c=\'>\' >x</B\n>', { B: upper }), '<B a="x>y" c=\'>\' >X</B\n>', 'tags stay as they are')
  t.equal(whole('<B></B>', { B: () => 'new' }), '<B>new</B>')
  t.equal(whole('<B>x</B>', { B: () => '<&>"\r' }), '<B>&lt;&amp;&gt;&quot;&#13;</B>')
  t.equal(whole('<B>&#x61;&#98;&lt;&apos;ä😀</B>', { B: (text) => `${text}!` }), "<B>ab&lt;'ä😀!</B>")
  t.equal(whole('', { B: upper }), '')
  t.end()
})

t.test('everything else passes byte for byte', (t) => {
  for (const xml of [
    '<UploadIdMarker>x</UploadIdMarker><NextUploadIdMarker>x</NextUploadIdMarker><uploadid>x</uploadid>',
    '<UploadId/><UploadId />x<UploadId a="b"/>x',
    '<s:UploadId>x</s:UploadId>',
    '<UploadId>x<Child/></UploadId><UploadId>x<!-- c --></UploadId>',
    '<UploadId><![CDATA[x]]></UploadId>',
    '<!-- <UploadId>x</UploadId> --><![CDATA[<UploadId>x</UploadId>]]><?p <UploadId>x</UploadId>?>',
    '<!DOCTYPE x><!><!-->--><UploadId >',
    '<UploadId>x</UploadIdX>',
    '<UploadId>x</UploadId',
    '<UploadId>x</UploadId <',
    '<UploadId>&unknown;</UploadId><UploadId>& x</UploadId><UploadId>&#x110000;</UploadId>',
    '</UploadId>x<UploadId',
    '<Key>UploadId</Key>',
    '< UploadId>x</UploadId>',
    '<![CDATA[ <UploadId>x</UploadId>',
    '<!-- <UploadId>x</UploadId> ',
  ]) {
    t.equal(whole(xml, { UploadId: upper }), xml)
  }
  t.equal(
    whole('<UploadId>&#120;&quot;"</UploadId>', { UploadId: (text) => text }),
    '<UploadId>&#120;&quot;"</UploadId>',
  )
  const latin1 = Buffer.from('<A>\xff\xfe</A><UploadId>\xff</UploadId>', 'latin1')
  t.ok(rewriteWhole(latin1, { UploadId: (text) => text }).equals(latin1), 'bytes that are no UTF-8')
  t.end()
})

t.test('an element behind one that is odd is rewritten all the same', (t) => {
  for (const odd of [
    '<B/>',
    '<B',
    '<B>x',
    '<B>x<C/></B>',
    '<BB>x</BB>',
    '<B a="',
    '<!-- -->',
    '<?p?>',
    '<![CDATA[<B>]]>',
  ]) {
    t.equal(whole(`${odd}<B>y</B>`, { B: upper }), `${odd}<B>Y</B>`, odd)
  }
  t.equal(whole('<B a="<B>y</B>">z</B>', { B: upper }), '<B a="<B>Y</B>">z</B>', 'no tag holds a <')
  t.end()
})

// As plain as can be: the document in one piece, by regular expressions.
const reference = (xml: string, rules: ElementRules) => {
  const names = Object.keys(rules).join('|')
  const pattern = new RegExp(
    `<!--[^]*?(?:-->|$)|<!\\[CDATA\\[[^]*?(?:\\]\\]>|$)|<\\?[^]*?(?:\\?>|$)|<(${names})(\\s[^<>]*[^<>/]|\\s*)>([^<&]*)</\\1\\s*>`,
    'g',
  )
  return xml.replace(pattern, (match: string, name?: string, attributes?: string, text?: string) => {
    if (name === undefined || text === undefined || match.length > MAX_ELEMENT_BYTES) return match
    const close = match.slice(match.lastIndexOf('<'))
    const rewritten = (rules[name] as typeof upper)(text)
    return rewritten === text ? match : `<${name}${attributes}>${rewritten.replaceAll('>', '&gt;')}${close}`
  })
}

const pieces = fc.array(
  fc.constantFrom(
    '<ETag>',
    '</ETag>',
    '<ETag >',
    '</ETag >',
    '<ETag a="b">',
    '<ETags>',
    '<E>',
    '</E>',
    '<ETag/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<',
    '>',
    'abc',
    ' ',
    '-',
    ']',
    '?',
    R,
    '<ETag>abc</ETag>',
    '<E>x</E>',
    '<ET>x</ET>',
    '<Key>k</Key>',
  ),
  { maxLength: 30 },
)

t.test('the same whatever the split, and the same as the plain reading', async () => {
  const rules = { E: (text: string) => `${text}.${text}`, ETag: upper, ET: (text: string) => `${text}!` }
  await fc.assert(
    fc.asyncProperty(pieces, fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 }), async (parts, sizes) => {
      const xml = parts.join('')
      const bytes = Buffer.from(xml)
      const chunks: Buffer[] = []
      let at = 0
      for (const size of sizes) {
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      chunks.push(bytes.subarray(at))
      const { text } = feed(rewriteElements(rules), chunks)
      await settled()
      const inOne = whole(xml, rules)
      return text() === inOne && (/<!(?!--|\[CDATA\[)/.test(xml) || inOne === reference(xml, rules))
    }),
    { numRuns: 500 },
  )
})

t.test('a listing cut at every byte', async (t) => {
  const xml = `<?xml version="1.0"?><L><C><Key>&lt;ETag&gt;ä</Key><ETag>&quot;${R}&quot;</ETag></C><!-- c --><C><ETag>"${R}"</ETag></C></L>`
  const bytes = Buffer.from(xml)
  const wanted = Buffer.from(whole(xml, { ETag: showETag })).toString('latin1')
  for (let i = 0; i <= bytes.length; i += 1) {
    const { text } = feed(rewriteElements({ ETag: showETag }), [bytes.subarray(0, i), bytes.subarray(i)])
    await settled()
    if (text() !== wanted) t.fail(`cut at ${i}`)
  }
  const { text } = feed(
    rewriteElements({ ETag: showETag }),
    Array.from(bytes, (byte) => Buffer.from([byte])),
  )
  await settled()
  t.equal(text(), wanted, 'byte by byte')
})

t.test('what the length of an element decides is no matter of chunks', async (t) => {
  const element = (length: number) => `<B>${'x'.repeat(length - 7)}</B>`
  for (const length of [MAX_ELEMENT_BYTES - 1, MAX_ELEMENT_BYTES, MAX_ELEMENT_BYTES + 1, MAX_ELEMENT_BYTES + 20]) {
    const xml = `<A>${element(length)}</A>`
    const wanted = length <= MAX_ELEMENT_BYTES ? `<A><B>${'X'.repeat(length - 7)}</B></A>` : xml
    t.equal(whole(xml, { B: upper }), wanted, `${length} in one`)
    for (const size of [1, 7, 1000, 4096]) {
      const bytes = Buffer.from(xml)
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      const { text } = feed(rewriteElements({ B: upper }), chunks)
      await settled()
      t.equal(text(), wanted, `${length} by ${size}`)
    }
  }
})

t.test('hostile answers are not held back', async (t) => {
  const filler = Buffer.from('a'.repeat(65536))
  for (const start of [
    '<ETag>',
    '<ETag a="',
    '<ETag ',
    '<ETag',
    '<!-- ',
    '<![CDATA[',
    '<?x ',
    '<!DOCTYPE ',
    '<ETag>x</ETag ',
    '<',
    '<ETag><ETag><ETag>',
  ]) {
    const chunks = [Buffer.from(start), ...Array.from({ length: 16 }, () => filler)]
    const { text, after } = feed(rewriteElements({ ETag: showETag }), chunks)
    let sent = 0
    chunks.forEach((chunk, i) => {
      sent += chunk.length
      if (sent - (after[i] as number) > MAX_ELEMENT_BYTES) t.fail(`${start} holds ${sent - (after[i] as number)} bytes`)
    })
    await settled()
    t.equal(text(), Buffer.concat(chunks).toString('latin1'), start)
  }
  const many = Buffer.from('<ETag '.repeat(200000))
  t.ok(rewriteWhole(many, { ETag: showETag }).equals(many))
})

t.test('the spaces that keep a connection alive go on at once', async (t) => {
  const { after } = feed(rewriteElements({ ETag: showETag }), [
    Buffer.from('<?xml version="1.0"?>\n'),
    Buffer.from(' '),
    Buffer.from('\n '),
    Buffer.from('<Comple'),
  ])
  await settled()
  t.strictSame(after, [22, 23, 25, 32])
})

t.test('one write out for one write in', async (t) => {
  const stream = rewriteElements({ ETag: showETag })
  let writes = 0
  stream.on('data', () => (writes += 1))
  stream.end(Buffer.from(`<C><ETag>${R}</ETag></C>`.repeat(1000)))
  await settled()
  t.equal(writes, 1)
})

t.test('a rule that throws ends the stream', async (t) => {
  const stream = rewriteElements({
    B: () => {
      throw new Error('no')
    },
  })
  const failed = new Promise<Error>((resolve) => stream.once('error', resolve))
  stream.end(Buffer.from('<B>x</B>'))
  t.equal((await failed).message, 'no')
})
