import fc from 'fast-check'
import t from 'tap'
import { isErrorDocument, watchForError } from '../../src/proxy/late-error.js'

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

async function watch(pieces: readonly string[]) {
  const judged: string[] = []
  const stream = watchForError((document) => {
    judged.push(document.toString())
    return Buffer.from('JUDGED')
  })
  const out: Buffer[] = []
  stream.on('data', (chunk: Buffer) => out.push(chunk))
  for (const piece of pieces) stream.write(piece)
  stream.end()
  await new Promise((resolve) => stream.once('end', resolve))
  return { out: Buffer.concat(out).toString(), judged }
}

const cut = (text: string, places: readonly number[]) => {
  const at = [0, ...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => text.slice(at[i], end))
}

t.test('an error document is found however the answer is cut; everything else passes byte for byte', async (t) => {
  const error = '<Error><Code>InternalError</Code></Error>'
  const fine = [
    '<CopyObjectResult><ETag>&lt;Error></ETag></CopyObjectResult>',
    '<ErrorFree/>',
    '<Err',
    '<?xml',
    '',
    'plain <Error>',
    '<!-- <Error> --><CopyObjectResult/>',
    '<!-',
    '<!DOCTYPE Error><Error/>',
    '\xef',
  ]
  const places = fc.array(fc.nat(), { maxLength: 12 })
  const mark = '\ufeff'
  const starts = [
    mark,
    `${mark}${DECLARATION} `,
    `${DECLARATION}<!-- a > b -- <Error> ?> -->\n<!---->`,
    `<?style x?>  <!-- - -->`,
    '',
    DECLARATION,
    `${DECLARATION}      \n`,
    `   ${DECLARATION}  `,
  ]
  await fc.assert(
    fc.asyncProperty(places, fc.constantFrom(...starts), fc.constantFrom(error, ...fine), async (at, start, rest) => {
      const { out, judged } = await watch(cut(start + rest, at))
      if (rest !== error) return out === start + rest && judged.length === 0
      return out === `${start}JUDGED` && judged.length === 1 && judged[0] === error
    }),
    { numRuns: 400 },
  )
  t.pass('for any cut')
})

t.test('spaces go on while the upstream works', async (t) => {
  const stream = watchForError((document) => document)
  stream.write(`${DECLARATION}   `)
  t.equal((stream.read() as Buffer | null)?.toString(), `${DECLARATION}   `)
  stream.write('  ')
  t.equal((stream.read() as Buffer | null)?.toString(), '  ')
  stream.destroy()
})

t.test('whole documents', async (t) => {
  t.ok(isErrorDocument(Buffer.from(`${DECLARATION}   <Error><Code>SlowDown</Code></Error>`)))
  t.ok(isErrorDocument(Buffer.from('<Error xmlns="x"/>')))
  t.notOk(isErrorDocument(Buffer.from('<CopyObjectResult><Error></Error></CopyObjectResult>')))
  t.notOk(isErrorDocument(Buffer.from('')))
})
