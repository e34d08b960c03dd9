import fc from 'fast-check'
import t from 'tap'
import { readFields } from '../../src/http1/fields.js'
import { KNOWN_NAMES } from '../../src/http1/known-names.js'
import { Malformed } from '../../src/http1/malformed.js'
import { runs } from '../support/runs.js'
import { linesOf } from './lines-of.js'

type Read = readonly string[] | string

function read(text: string, offset: number): Read {
  try {
    return readFields(linesOf(text), offset)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return error.message
  }
}

/** The same, as RFC 9112 says it: one line after the other, each cut in two by a pattern. */
function readPlainly(text: string, offset: number): Read {
  const fields: string[] = []
  let rest = text.slice(offset)
  while (rest !== '') {
    const [begin, name] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):/.exec(rest) ?? ['', '']
    if (begin === '') return 'the name of a header'
    const [line, value] = /^[\t ]*([\t\x20-\x7e\x80-\xff]*)\r\n/.exec(rest.slice(begin.length)) ?? ['', '']
    if (line === '') return 'the value of a header'
    fields.push(name.toLowerCase(), value.replace(/[\t ]+$/, ''))
    rest = rest.slice(begin.length + line.length)
  }
  return fields
}

const capitals = (name: string): string => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
const spelling = fc.constantFrom(
  (name: string) => name,
  capitals,
  (name: string) => name.toUpperCase(),
  (name: string) => name.replace('md5', 'MD5').replace(/^e/, 'E'),
)
const known = fc.tuple(fc.constantFrom(...KNOWN_NAMES), spelling).map(([name, spell]) => spell(name))
/** One character off: `@` for a grave accent, DEL for an underscore are what a careless fold of capitals takes for the same. */
const nearly = fc
  .tuple(
    known,
    fc.nat(),
    fc.oneof(fc.constantFrom('`', '^', '~', '_', '-', '@', '[', '\x7f', '\r', '\x0d', ''), byte()),
  )
  .map(([name, at, other]) => name.slice(0, at % name.length) + other + name.slice((at % name.length) + 1))
const name = fc.oneof(
  { weight: 5, arbitrary: known },
  { weight: 2, arbitrary: nearly },
  fc.constantFrom('unknown', 'none', '__proto__', 'constructor', 'X-Amz-Meta-A', '', ' ', 'a ', 'é'),
  fc.array(byte(), { maxLength: 3 }).map((all) => all.join('')),
)
const value = fc.oneof(
  fc.constantFrom('', ' ', '\t', ' a', 'a\t b \t ', '"x"', '\x80\xff'),
  fc.array(byte(), { maxLength: 5 }).map((all) => all.join('')),
)
const line = fc
  .tuple(
    name,
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(':', ': ') }, fc.constantFrom('', ' :', '::', '\t')),
    value,
    fc.oneof({ weight: 9, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r', '\r\r\n', '', '\r\n ')),
  )
  .map((parts) => parts.join(''))

function byte(): fc.Arbitrary<string> {
  return fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
}

t.test('what is read is what RFC 9112 says, name by name and fault by fault', async (t) => {
  const seen = { good: 0, name: 0, value: 0 }
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), fc.constantFrom('', 'HTTP/1.1 200 OK\r\n'), (lines, before) => {
      const text = before + lines.join('')
      const mine = read(text, before.length)
      seen[typeof mine !== 'string' ? 'good' : mine.includes('name') ? 'name' : 'value'] += 1
      return JSON.stringify(mine) === JSON.stringify(readPlainly(text, before.length))
    }),
    { numRuns: runs(30_000) },
  )
  const least = Math.min(seen.good, seen.name, seen.value)
  t.ok(least > runs(30_000) / 20, JSON.stringify(seen))
})

t.test('each known name in each spelling, alone and beside others of its length', async (t) => {
  for (const name of KNOWN_NAMES) {
    for (const spelled of [name, capitals(name), name.toUpperCase()]) {
      t.strictSame(read(`${spelled}: 1\r\n${spelled}:2\r\n`, 0), [name, '1', name, '2'])
      t.strictSame(read(`${spelled}x: 1\r\n`, 0), [`${name}x`, '1'], 'a longer one is another')
      t.strictSame(read(`x${spelled.slice(1)}: 1\r\n`, 0), [`x${name.slice(1)}`, '1'])
    }
  }
})

t.test('a name that has the hash of another is itself', async (t) => {
  // 31 * code + next is the same where a code is two more and the next is 62 less.
  const twin = (name: string): string[] =>
    Array.from({ length: name.length - 1 }, (_, i) => {
      const pair = String.fromCharCode(name.charCodeAt(i) + 2, name.charCodeAt(i + 1) - 62)
      return /^[!#$%&'*+\-.^_`|~0-9a-z]{2}$/.test(pair) ? [name.slice(0, i) + pair + name.slice(i + 2)] : []
    }).flat()
  const twins = KNOWN_NAMES.flatMap(twin)
  t.ok(twins.length > 20, `${twins.length} names have the hash of a known one`)
  for (const name of twins) t.strictSame(read(`${name}: 1\r\n`, 0), [name, '1'])
})

t.test('a million different names leave nothing behind and slow nothing down', async (t) => {
  const once = (): number => {
    const lines = linesOf(KNOWN_NAMES.map((name) => `${name}: 1\r\n`).join(''))
    const began = performance.now()
    for (let times = 0; times < 300; times += 1) readFields(lines, 0)
    return performance.now() - began
  }
  const fastest = (): number => Math.min(...Array.from({ length: 10 }, once))
  const before = fastest()
  for (let n = 0; n < 1_000_000; n += 100) {
    const names = Array.from({ length: 100 }, (_, i) => `X-${(n + i).toString(36)}`)
    const read = readFields(linesOf(names.map((name) => `${name}:1\r\n`).join('')), 0)
    if (read[2 * 99] !== names[99]?.toLowerCase()) t.fail(`${names[99]} was read as ${read[2 * 99]}`)
  }
  t.ok(fastest() < 3 * before + 5, 'known names are read as fast as before')
  t.strictSame(read('HOST: x\r\nx-0: 1\r\n', 0), ['host', 'x', 'x-0', '1'])
})
