import t from 'tap'
import { parseTrailerSection } from '../../src/sigv4/chunk-trailer.js'
import { codeOf } from './examples.js'

const name = 'x-amz-checksum-crc32c'
const found = new Map([[name, 'sOO8/Q==']])

t.test('as AWS writes it', (t) => {
  const section = `${name}:sOO8/Q==\r\nx-amz-trailer-signature:00ff\r\n\r\n`
  t.same(parseTrailerSection(section, [name]), { trailers: found, signature: '00ff' })
  t.same(parseTrailerSection(`${name}:sOO8/Q==\r\n\r\n`, [name]), { trailers: found, signature: 'none' })
  t.same(parseTrailerSection('\r\n', []), { trailers: new Map(), signature: 'none' })
  t.end()
})

t.test('as others do', (t) => {
  for (const section of [
    `${name}:sOO8/Q==\n\r\nx-amz-trailer-signature:00ff\r\n\r\n`,
    `\r\n${name}:sOO8/Q==\r\nx-amz-trailer-signature:00ff\r\n\r\n`,
    `X-Amz-Checksum-Crc32c: \tsOO8/Q== \r\nX-Amz-Trailer-Signature: 00ff\r\n\r\n`,
  ]) {
    t.same(parseTrailerSection(section, [name]), { trailers: found, signature: '00ff' }, JSON.stringify(section))
  }
  t.same(parseTrailerSection(`${name}:sOO8/Q==\n\r\n\r\n`, [name]).trailers, found, 'minio-go, unsigned')
  t.end()
})

t.test('cut off, or with more after the end', (t) => {
  const whole = `${name}:sOO8/Q==\r\n\r\n`
  for (const section of [
    '',
    '\r',
    '\n',
    '\r\n\r\n',
    `${whole}\r\n`,
    `${whole}x`,
    'x\r\n',
    ...[1, 2, 3, 4].map((n) => whole.slice(0, -n)),
  ]) {
    t.equal(
      codeOf(() => parseTrailerSection(section, [name])),
      'IncompleteBody',
      JSON.stringify(section),
    )
  }
  t.end()
})

t.test('not what was announced', (t) => {
  const cases: readonly (readonly [section: string, declared: readonly string[]])[] = [
    ['\r\n', [name]],
    [`${name}:a\r\n\r\n`, []],
    [`${name}:a\r\n\r\n`, ['x-amz-checksum-crc32']],
    [`${name}:a\r\nx-other:b\r\n\r\n`, [name]],
    [`${name}:a\r\n${name}:a\r\n\r\n`, [name]],
    [`${name}:a\r\n${name.toUpperCase()}:b\r\n\r\n`, [name]],
    [`${name}\r\n\r\n`, ['x-amz-checksum-crc32']],
    [`${name}\r\n\r\n`, [name]],
    [`${name} :a\r\n\r\n`, [name]],
    [` ${name}:a\r\n\r\n`, [name]],
    [`${name}:a b\r\n\r\n`, [name]],
    [`${name}:a\xa0\r\n\r\n`, [name]],
    [`${name}:${'a'.repeat(257)}\r\n\r\n`, [name]],
    [`${name}:a\rb\r\n\r\n`, [name]],
    ['x-amz-trailer-signature:a\r\nx-amz-trailer-signature:b\r\n\r\n', []],
    ['\0\r\n\r\n', []],
    [':a\r\n\r\n', ['']],
  ]
  for (const [section, declared] of cases) {
    t.equal(
      codeOf(() => parseTrailerSection(section, declared)),
      'MalformedTrailerError',
      JSON.stringify(section),
    )
  }
  t.end()
})
