import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { formatProblem, loadConfig } from '../../src/config/load.js'

/** One wrong configuration per file, and beside it what is said about it. UPDATE_WRONG=1 writes what is said now. */
const directory = fileURLToPath(new URL('wrong/', import.meta.url))
const env = { SECRET: 'never-shown-5f0c', EMPTY: '', BLANK: '  ', ACCESS_KEY_ID: 'SAME', WITH_SLASH: 'never/shown' }

const names = readdirSync(directory)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''))

const messages = new Map(names.map((name) => [name, messagesOf(name)]))
const said = (name: string): string => messages.get(name)!

function messagesOf(name: string): string {
  const result = loadConfig(`${directory}${name}.yaml`, env)
  if (result.type === 'config') return 'ok\n'
  return result.problems
    .map((problem) => `${formatProblem(problem)}\n`.replaceAll(directory.slice(0, -1), 'DIRECTORY'))
    .join('')
}

for (const name of names) {
  t.test(name, async (t) => {
    const file = `${directory}${name}.txt`
    if (process.env['UPDATE_WRONG'] === '1') writeFileSync(file, said(name))
    t.ok(existsSync(file), 'has its messages beside it')
    t.equal(said(name), readFileSync(file, 'utf8'))
    t.not(said(name), 'ok\n')
  })
}

t.test('nothing that is or could be a secret is repeated', async (t) => {
  for (const name of names) t.notMatch(said(name), /never.shown|12345678/, name)
})

t.test('every message has one line and a place', async (t) => {
  for (const name of names) {
    for (const line of said(name).trimEnd().split('\n'))
      t.match(line, /^(\d+:\d+: .{8,}|[a-z(][\w.[\]() ]*: .{8,} \(line \d+\))$/i, name)
  }
})

t.test('no message is left over from a configuration that is gone', async (t) => {
  const texts = readdirSync(directory).filter((file) => file.endsWith('.txt'))
  t.same(texts.map((file) => file.replace('.txt', '')).sort(), [...names].sort())
})
