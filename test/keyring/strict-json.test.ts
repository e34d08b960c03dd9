import fc from 'fast-check'
import t from 'tap'
import { parseStrictJson, shownName } from '../../src/keyring/strict-json.js'

const duplicates = (text: string) => {
  const result = parseStrictJson(text)
  return result.type === 'value' ? result.duplicates.map(({ path }) => path) : result
}

t.test('members that come twice are found wherever they are', async (t) => {
  t.strictSame(duplicates('{"a":1,"b":2,"a":3}'), ['a'])
  t.strictSame(duplicates('{"a":{"b":1,"b":2},"a":3}'), ['a.b', 'a'])
  t.strictSame(duplicates('[0,{"a":1},{"a":[[],{}],"a":2}]'), ['[2].a'])
  t.strictSame(duplicates('{"v":[{"key":"x"},{"key":"x","key":"y"}]}'), ['v[1].key'])
  t.strictSame(duplicates('{"key":1,"\\u006bey":2}'), ['key'], 'spelt with an escape')
  t.strictSame(duplicates('{"__proto__":1,"__proto__":2}'), ['(name not shown)'])
})

t.test('what only looks like a second member is none', async (t) => {
  t.strictSame(duplicates('{"a":"a","b":"a\\",\\"a\\":"}'), [])
  t.strictSame(duplicates('{"a":["a","a"],"b":{"a":{"a":1}}}'), [])
  t.strictSame(duplicates('"a"'), [])
  t.strictSame(duplicates('[]'), [])
  t.strictSame(duplicates('{"a\\\\":1,"a":2}'), [])
})

t.test('no JSON document without duplicates is accused, and it keeps its value', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const result = parseStrictJson(JSON.stringify(value))
      return result.type === 'value' && result.duplicates.length === 0
    }),
  )
})

t.test('a syntax error is placed, never quoted', async (t) => {
  const secret = 'c2VjcmV0IHRleHQgdGhhdCBtdXN0IG5vdCBzaG93'
  for (const text of [
    `{"key": "${secret}"`,
    `{"key": "${secret}`,
    `{"key": ${secret}}`,
    `{"key": "${secret}",}`,
    `{\n"key": "${secret}"\n"check": 1}`,
    secret,
    `\ufeff{"key":"${secret}"}`,
    `{"key": "${secret}"} ${secret}`,
  ]) {
    const result = parseStrictJson(text)
    t.equal(result.type, 'problems')
    t.notMatch(JSON.stringify(result), /c2Vj|IG5v/)
  }
  t.match(parseStrictJson('{\n"a": 1\n"b": 2}'), { problems: [{ path: 'document', message: /in line 3$/ }] })
  t.match(parseStrictJson(' \n'), { problems: [{ message: 'is empty' }] })
})

t.test('only names that cannot be keys are shown', async (t) => {
  t.equal(shownName('chekc'), 'chekc')
  for (const name of ['', 'a'.repeat(17), 'YWJj+', '0123abcd', 'ab\ncd', 'äö'])
    t.equal(shownName(name), '(name not shown)')
})
