import fc from 'fast-check'
import t from 'tap'
import { parseFormBoundary } from '../../src/s3/form-boundary.js'
import { scanFormFile } from '../../src/s3/form-file.js'
import { readFormHead, type FormHead } from '../../src/s3/form-head.js'
import { parseFormPart } from '../../src/s3/form-part.js'
import { expandFilename } from '../../src/s3/post-form.js'
import { refusalOf } from './refusal.js'

/** Cuts bytes into pieces of the given sizes, the last one what is left. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...pieces, bytes.subarray(at)]
}

function headOf(
  text: string | Buffer,
  boundary = 'b',
  sizes: readonly number[] = [],
): { head: FormHead; rest: string } {
  const take = readFormHead(boundary)
  const pieces = cut(Buffer.from(text as string), sizes)
  for (const [index, piece] of pieces.entries()) {
    const progress = take(piece)
    if (progress.type === 'head') {
      return { head: progress.head, rest: Buffer.concat([progress.rest, ...pieces.slice(index + 1)]).toString() }
    }
  }
  throw new Error('no end')
}

const part = (name: string, value: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const FILE = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'

function scanned(bytes: Buffer, boundary: string, sizes: readonly number[] = []): Buffer {
  const scanner = scanFormFile(boundary)
  const found = cut(bytes, sizes).flatMap((piece) => scanner.push(piece))
  scanner.finish()
  return Buffer.concat(found)
}

t.test('the head, however it is cut', (t) => {
  const text = `${part('Key', 'a\r\n--bx\r\n-')}${part('x', '')}${FILE}content\r\n--b--`
  const expected = {
    head: {
      fields: new Map([
        ['key', 'a\r\n--bx\r\n-'],
        ['x', ''],
      ]),
      filename: 'f',
    },
    rest: 'content\r\n--b--',
  }
  t.match(headOf(text), expected)
  t.match(headOf(text, 'b', Array<number>(text.length).fill(1)), expected)
  for (let at = 1; at < text.length; at += 1) t.equal(headOf(text, 'b', [at]).rest, expected.rest)
  t.equal(headOf(text).head.size, text.indexOf('content'))
  t.match(headOf(`\r\n${text}`), expected, 'a line end first')
  t.end()
})

t.test('headers of parts', (t) => {
  const named = (header: string) => headOf(`--b\r\n${header}\r\n\r\nx`).head.filename
  t.equal(named('Content-Disposition: form-data; name="file"'), 'none')
  t.equal(named('content-disposition:form-data;name=file;filename=a.txt'), 'a.txt')
  t.equal(
    named('Content-Disposition: form-data; name="file"; filename="C:\\dir\\a;b.txt"\r\nContent-Type: a/b'),
    'C:\\dir\\a;b.txt',
  )
  t.equal(named('Content-Disposition: form-data; name="file"; filename="a\\"b"'), 'a"b')
  t.equal(named('Content-Disposition: form-data; name="file"; filename*=utf-8\'\'na%C3%AFve.txt'), 'naïve.txt')
  t.equal(named('Content-Disposition: form-data; name="File"; filename="ž"\r\nContent-Transfer-Encoding: binary'), 'ž')
  for (const header of [
    'Content-Disposition: attachment; name="file"',
    'Content-Disposition: form-data; filename="a"',
    'Content-Disposition: form-data; name=""',
    'Content-Disposition: form-data; name="file"; name="key"',
    'Content-Disposition: form-data; name="file"; filename="a',
    'Content-Disposition: form-data; name="file"; filename="a\nb"',
    'Content-Disposition: form-data; name="file" junk',
    'Content-Disposition: form-data; name="file"; filename*=iso-8859-1\'\'a',
    'Content-Disposition: form-data; name="file"\r\nContent-Disposition: form-data; name="key"',
    'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition: form-data;\r\n name="file"',
    'no header',
  ]) {
    t.equal(refusalOf(() => named(header)).code, 'MalformedPOSTRequest', header)
  }
  t.equal(
    refusalOf(() => headOf(Buffer.from(`--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n`, 'latin1'))).code,
    'MalformedPOSTRequest',
  )
  t.equal(
    refusalOf(() =>
      headOf(Buffer.concat([Buffer.from(part('a', '').slice(0, -2)), Buffer.of(0xff), Buffer.from(`\r\n${FILE}`)])),
    ).code,
    'InvalidArgument',
  )
  t.end()
})

t.test('a header that is written as usual is read as one that is not', (t) => {
  const character = fc.integer({ min: 0x20, max: 0x7f }).map((code) => String.fromCharCode(code))
  const value = fc.oneof(
    fc.string({ unit: character, maxLength: 12 }),
    fc.constantFrom('key', 'X-Amz-Date', 'a b', 'ž', 'a"b', 'a\\b', 'a\tb', 'C:\\f', ''),
  )
  const type = fc.constantFrom(
    '',
    '\r\nContent-Type: a/b; c=d',
    '\r\nContent-Type: ',
    '\r\nContent-Type:x',
    '\r\nContent-Type: \t',
  )
  const input = fc.record({ name: value, filename: fc.option(value, { nil: undefined }), type })
  const outcome = (header: string): string => {
    try {
      return JSON.stringify(parseFormPart(Buffer.from(header)))
    } catch (error) {
      return String(error)
    }
  }
  let good = 0
  fc.assert(
    fc.property(input, ({ name, filename, type: ending }) => {
      const rest = `form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}${ending}`
      const usual = outcome(`Content-Disposition: ${rest}`)
      if (usual.startsWith('{')) good++
      return usual === outcome(`content-disposition: ${rest}`)
    }),
    { numRuns: 2000 },
  )
  t.ok(good > 200, `${good} were good`)
  t.end()
})

t.test('no header takes longer than its length, blanks above all', (t) => {
  const disposition = 'Content-Disposition: form-data; name="file"'
  for (const [header, filename] of [
    // With a pattern for the blanks around a value the first is hours, by somebody who need not even be known.
    [`a:${' '.repeat(20_000)}\n\r\n${disposition}`, 'refused'],
    [`a:x${' '.repeat(20_000)}\u2028\r\n${disposition}`, 'refused'],
    [`a: \t x${' '.repeat(20_000)}x\r\n${disposition}`, 'none'],
    [`${disposition}; filename="a"${' '.repeat(20_000)}`, 'a'],
    [`${disposition}${' '.repeat(20_000)}; filename="${'\\'.repeat(3_000)}`, 'refused'],
  ] as const) {
    const read = () => headOf(`--b\r\n${header}\r\n\r\nx`).head.filename
    if (filename === 'refused') t.equal(refusalOf(read).code, 'MalformedPOSTRequest')
    else t.equal(read(), filename)
  }
  t.end()
})

t.test('limits, and forms that are none', (t) => {
  const refused = (text: string) => refusalOf(() => headOf(text)).code
  t.equal(refused(`${part('a', 'x')}${part('A', 'y')}${FILE}`), 'InvalidArgument')
  t.equal(refused(`${part('a', 'x')}--b--\r\n`), 'InvalidArgument')
  t.equal(refused('--b--\r\n'), 'InvalidArgument')
  t.equal(refused('--c\r\n..'), 'MalformedPOSTRequest')
  t.equal(refused('--bc\r\n'), 'MalformedPOSTRequest')
  t.equal(refused(`${part('a', 'x'.repeat(20_480))}${FILE}`), 'MaxPostPreDataLengthExceeded')
  t.equal(refused(`--b\r\n${'x'.repeat(30_000)}`), 'MaxPostPreDataLengthExceeded')
  t.equal(headOf(`${part('a', 'x'.repeat(20_300))}${FILE}`).head.fields.get('a')?.length, 20_300)
  t.end()
})

t.test('boundaries of Content-Type', (t) => {
  t.equal(parseFormBoundary('multipart/form-data; boundary=abc'), 'abc')
  t.equal(parseFormBoundary('Multipart/Form-Data;charset="utf-8" ; BOUNDARY="a b:c"'), 'a b:c')
  t.equal(parseFormBoundary(`multipart/form-data; boundary=${'x'.repeat(70)}`).length, 70)
  for (const type of [
    '',
    '; boundary',
    '; boundary=',
    '; boundary="a',
    '; boundary="a "',
    '; boundary=a; boundary=a',
    `; boundary=${'x'.repeat(71)}`,
    '; boundary="a\\"b"',
    '; boundary="ž"',
  ]) {
    t.equal(refusalOf(() => parseFormBoundary(`multipart/form-data${type}`)).code, 'MalformedPOSTRequest', type)
  }
  t.end()
})

t.test('the file, whatever it holds and however it is cut', (t) => {
  // Content of the characters that boundaries are made of, so that nearly-boundaries are the rule.
  const content = fc
    .array(fc.constantFrom('\r', '\n', '-', 'b', 'x', '\r\n--b', '\r\n--'), { maxLength: 40 })
    .map((all) => all.join(''))
  const ends = [
    '\r\n--b--',
    '\r\n--b--\r\n',
    '\r\n--b\r\nContent-Disposition: form-data; name="s"\r\n\r\ngo\r\n--b--\r\n',
  ]
  fc.assert(
    fc.property(content, fc.constantFrom(...ends), fc.array(fc.nat(9)), (text, end, sizes) => {
      // A true boundary inside the content ends it there, by definition.
      const whole = `${text}${end}`
      const at = /\r\n--b(?:--|\r\n)/.exec(whole)!.index
      const closes = /\r\n--b--/.test(whole.slice(at))
      return closes && scanned(Buffer.from(whole), 'b', sizes).toString() === whole.slice(0, at)
    }),
    { numRuns: 2000 },
  )
  t.equal(scanned(Buffer.from('\r\n--b--'), 'b').length, 0, 'an empty file')
  for (const text of ['a', 'a\r\n--b', 'a\r\n--b-', 'a\r\n--b\r\n', 'a\r\n--b\r\n--b-', '--b--', 'a\n--b--']) {
    t.equal(refusalOf(() => scanned(Buffer.from(text), 'b')).code, 'MalformedPOSTRequest', JSON.stringify(text))
  }
  t.equal(refusalOf(() => scanned(Buffer.from(`a\r\n--b--${'x'.repeat(65_536)}`), 'b')).code, 'MalformedPOSTRequest')
  t.end()
})

t.test('${filename}', (t) => {
  const expanded = (value: string, filename: string) =>
    expandFilename({ fields: new Map([['key', value]]), filename, size: 0 }).get('key')
  t.equal(expanded('a/${filename}/${filename}', 'x/y\\z'), 'a/z/z')
  t.equal(expanded('a/${filename}', '$&'), 'a/$&')
  t.equal(expanded('a/${filename}', 'none'), 'a/')
  t.equal(refusalOf(() => expanded('a/${filename}', '${filename}')).code, 'InvalidArgument')
  const many = () => expanded('${filename}'.repeat(1000), 'x'.repeat(10_000))
  t.equal(refusalOf(many).code, 'MaxPostPreDataLengthExceeded', 'ten MiB of twenty KiB')
  t.equal(expanded('${filename}'.repeat(100), 'x'.repeat(255))?.length, 25_500)
  t.end()
})
