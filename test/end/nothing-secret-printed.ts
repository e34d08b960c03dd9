// The last test of a run (scripts/run-tests.mjs starts it): what every other test printed, every proxy logged and every
// client was told holds no secret that the run used.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { searchRecord } from '../support/grep-secrets.js'
import { RECORD_VARIABLE, type RegisteredSecret } from '../support/record.js'

const folder = process.env[RECORD_VARIABLE]

/** The keys of the golden vectors, in hex there. */
function vectorKeys(): readonly RegisteredSecret[] {
  const vectors = new URL('../vectors/keys/', import.meta.url)
  const texts = readdirSync(vectors).map((name) => readFileSync(new URL(name, vectors), 'utf8'))
  const keys = new Set(texts.flatMap((text) => text.match(/\b[0-9a-f]{64}\b/g) ?? []))
  return [...keys].map((key) => ({
    label: 'key of a golden vector',
    bytes: Buffer.from(key, 'hex').toString('base64'),
  }))
}

t.test('nothing that was printed holds a key or a secret', async (t) => {
  if (folder === undefined) return t.fail('there is no record of a run: start this with npm test or npm run test:e2e')
  const { secrets, files, leaks } = searchRecord(folder, vectorKeys())
  t.comment(`looked for ${secrets} secrets in ${files.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(', ')}`)
  t.ok(secrets > vectorKeys().length, 'the run registered its secrets')
  t.ok(
    files.some(({ name, bytes }) => name === 'output.txt' && bytes > 1000),
    'the run was recorded',
  )
  for (const { label, form, where } of leaks) t.fail(`${where} holds a ${label}, as ${form}`)
  t.same(leaks.length, 0, 'no leak')
})
