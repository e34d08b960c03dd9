import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
const DOCUMENT = new URL('../../docs/s3-operations.md', import.meta.url)
const FOLDERS = ['s3', 'sigv4', 'sigv2', 'proxy']

/** The texts of every NotImplemented, as written in the code; `…` stands for what is put in. */
function notImplemented(): readonly string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(`${SRC}${folder}`).flatMap((name) => {
      const source = readFileSync(`${SRC}${folder}/${name}`, 'utf8')
      const made = source.split("S3Error('NotImplemented'").slice(1)
      return made.map((rest) => {
        const [, , text = `no message in ${name}`] = /^,\s*\{\s*message:\s*(['`])([\s\S]*?)\1/.exec(rest) ?? []
        return text.replace(/\$\{[^}]*\}/g, '…')
      })
    }),
  )
}

t.test('what the proxy refuses on purpose is a list in docs/s3-operations.md, and all of it', async (t) => {
  const document = readFileSync(DOCUMENT, 'utf8')
  const [, section = ''] = /^## What S3 takes and the proxy refuses\n([\s\S]*?)^## /m.exec(document) ?? []
  const listed = section.replace(/\s+/g, ' ')
  // the reasons of refused operations are rows of the table, which another test holds to the code
  const texts = notImplemented().filter((text) => text !== '…: …')
  t.ok(texts.length >= 9, 'the texts are found in the code')
  for (const text of texts)
    t.ok(
      ['`', '``'].some((ticks) => listed.includes(ticks + text + ticks)),
      text,
    )
})
