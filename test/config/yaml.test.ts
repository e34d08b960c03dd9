import fc from 'fast-check'
import t from 'tap'
import { parseYaml } from '../../src/config/yaml.js'

const problemsOf = (text: string) => {
  const result = parseYaml(text)
  return result.type === 'problems' ? result.problems.map(({ line, column }) => `${line}:${column}`) : []
}

t.test('YAML 1.2: words of older versions are text', async (t) => {
  const result = parseYaml('a: no\nb: 0o17\nc: 1:30\nd: ~\ne: "12"\nf: 2026-11-23\n')
  t.match(result, { type: 'value', value: { a: 'no', b: 15, c: '1:30', d: null, e: '12', f: '2026-11-23' } })
})

t.test('what is refused, and where', async (t) => {
  t.same(problemsOf('a: 1\nb:\n  c: 1\n  c: 2\n'), ['4:3'])
  t.same(problemsOf('a: 1\n"a": 2\n'), ['2:1'], 'however it is written')
  t.same(problemsOf('a: !secret x\n'), ['1:4', '1:12'])
  t.same(problemsOf('a: !!str x\n'), ['1:10'], 'tags of YAML itself too')
  t.same(problemsOf('a: !!binary aGk=\n'), ['1:13'])
  t.same(problemsOf('a: &x 1\nb: 2\n'), ['1:7'], 'an anchor that nobody uses')
  t.same(problemsOf('b: *x\n'), ['1:4'], 'an alias of nothing')
  t.same(problemsOf('a: &x [*x]\n'), ['1:7'], 'an alias of itself')
  t.same(problemsOf('a: 1\n--- \nb: 2\n'), ['2:1'])
  t.same(problemsOf('? [a]\n: 1\n'), ['1:3'])
  t.same(problemsOf('1: x\n'), [], 'a number as a name is text')
  t.same(problemsOf('a: "\n'), ['2:1'])
})

t.test('an alias bomb is refused before it unfolds', async (t) => {
  const levels = 'abcdefghijklmnop'.split('')
  const bomb = levels.map((name, i) => {
    const before = levels[i - 1]
    const items = before === undefined ? 'x' : Array.from({ length: 10 }, () => `*${before}`).join(', ')
    return `${name}: &${name} [${items}]`
  })
  t.same(problemsOf(bomb.join('\n')), ['1:7'])
})

t.test('a text that is too large, or too deep, is refused', async (t) => {
  t.same(problemsOf(`a: ${'x'.repeat(1_048_576)}`), ['1:1'])
  for (const text of ['[', '{a: ', '- ', '? ', '- ? ', ' - ']) {
    t.same(problemsOf(text.repeat(150_000)), ['1:1'], text)
    t.same(problemsOf(`a: 1\n${text.repeat(150)}`), ['1:1'], text)
  }
  const steps = Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`)
  t.same(problemsOf(steps.join('\n')), ['1:1'])
  t.equal(parseYaml(`${'['.repeat(50_000)}${']'.repeat(50_000)}`).type, 'problems')
  t.same(problemsOf(`a: ${'['.repeat(20)}${']'.repeat(20)}`), [], 'more than any configuration needs')
})

t.test('no message quotes the text', async (t) => {
  const hostile = ['"marker', "'marker", 'a: marker: marker', '!marker x', '*marker', '&marker [', '%marker', '@marker']
  for (const text of [...hostile, 'a: "\\marker"', 'a:\n\tmarker', '{ marker', '[marker', '`marker', 'a: [marker}']) {
    for (const whole of [text, `secret: ${text}`, `secret:\n  - ${text}\n  marker`]) {
      t.notMatch(JSON.stringify(parseYaml(whole), ['type', 'problems', 'message']), 'marker', whole)
    }
  }
})

t.test('lines of members, entries, and of what is missing', async (t) => {
  const result = parseYaml('# comment\na: 1\nlist:\n  - x: 1\n    y: 2\n\n  - x: 3\nflow: { b: [1,\n  2] }\n')
  if (result.type === 'problems') throw new Error('is right')
  const { lineOf } = result
  t.equal(lineOf([]), 2)
  t.equal(lineOf(['a']), 2)
  t.equal(lineOf(['list']), 3)
  t.equal(lineOf(['list', 0]), 4)
  t.equal(lineOf(['list', 0, 'y']), 5)
  t.equal(lineOf(['list', 1, 'x']), 7)
  t.equal(lineOf(['list', 1, 'missing']), 7)
  t.equal(lineOf(['list', 9]), 3)
  t.equal(lineOf(['flow', 'b', 1]), 9)
  t.equal(lineOf(['a', 'deeper']), 2)
  t.equal(lineOf(['missing', 0]), 2)
})

t.test('nothing is an empty document', async (t) => {
  for (const text of ['', '\n', '# comment\n', '---\n']) t.match(parseYaml(text), { type: 'value', value: null })
})

t.test('whatever the text, there is an answer', async () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '&a',
    '*a',
    '!',
    '|',
    '>',
    '%',
    '\t',
    '---',
    '?',
    ',',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const result = parseYaml(text)
        if (result.type === 'value') return typeof result.lineOf(['a', 0, 'b']) === 'number'
        return result.problems.length > 0 && result.problems.every(({ line, column }) => line > 0 && column > 0)
      },
    ),
    { numRuns: 500 },
  )
})

t.test('what JSON can say, YAML says the same', async () => {
  const plain = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('"<<"'))
  fc.assert(
    fc.property(plain, (value) => {
      const result = parseYaml(JSON.stringify(value))
      return result.type === 'value' && JSON.stringify(result.value) === JSON.stringify(value)
    }),
    { numRuns: 200 },
  )
})
