import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import { rewriteDocument } from '../../src/proxy/hold-document.js'

const mark = (document: Buffer) => Buffer.from(`[${document.toString('latin1')}]`, 'latin1')

t.test('spaces and declarations pass, the document is rewritten as a whole, however it is cut', async (t) => {
  const prolog = fc.constantFrom('', ' ', '\n\n   ', '<?xml version="1.0"?>', ' <?xml version="1.0"?>\n  <?x?> ')
  const root = fc.constantFrom('<A><B/></A>', '<Error></Error>', '<A>\n \n</A>', 'no XML', '')
  await fc.assert(
    fc.asyncProperty(prolog, root, fc.array(fc.nat({ max: 60 }), { maxLength: 6 }), async (start, end, cuts) => {
      const whole = Buffer.from(start + end)
      const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length]
      const pieces = places.slice(1).map((to, i) => whole.subarray(places[i], to))
      const out = await text(Readable.from(pieces, { objectMode: false }).pipe(rewriteDocument(mark)))
      t.equal(out, end === '' ? start : `${start}[${end}]`)
    }),
  )
})

t.test('what passes does not wait', async (t) => {
  const stream = rewriteDocument(mark)
  stream.write('<?xml version="1.0"?>\n')
  t.equal(String(stream.read()), '<?xml version="1.0"?>\n')
  for (let i = 0; i < 3; i += 1) {
    stream.write(' ')
    t.equal(String(stream.read()), ' ', 'a space that keeps the connection')
  }
  stream.write('<A>')
  t.equal(stream.read(), null, 'the document waits')
  stream.end('</A>')
  t.equal(await text(stream), '[<A></A>]')
})

t.test('spaces without end take no memory; a document without end is an error', async (t) => {
  const spaces = Readable.from(
    Array.from({ length: 90 }, () => Buffer.alloc(65_536, ' ')),
    { objectMode: false },
  )
  const out = await text(spaces.pipe(rewriteDocument(mark)))
  t.equal(out.length, 90 * 65_536)
  const endless = Readable.from(
    Array.from({ length: 90 }, () => Buffer.alloc(65_536, 'x')),
    { objectMode: false },
  )
  const sink = new PassThrough()
  sink.resume()
  await t.rejects(pipeline(endless, rewriteDocument(mark), sink), /too long/)
})
