import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorTexts } from './error-texts.js'

const document = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
const headings = [...document.matchAll(/^### `(.+)`$/gm)].map(([, text = '']) => text)

t.test('every text that clients, the log and a failed start give is a heading, once', async (t) => {
  const texts = new Map(errorTexts().map(({ text, file }) => [text, file]))
  t.ok(texts.size > 100, 'the texts are found in the code')
  for (const [text, file] of texts) t.ok(headings.includes(text), `${text} (${file})`)
  t.equal(new Set(headings).size, headings.length)
})

t.test('no heading is about a text that is no more', async (t) => {
  const texts = new Set(errorTexts().map(({ text }) => text))
  for (const heading of headings) t.ok(texts.has(heading), heading)
})

t.test('every heading, or run of headings, has something to say', async (t) => {
  t.same(document.match(/^### [^\n]+\n\n## /gm), null)
})
