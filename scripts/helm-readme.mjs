#!/usr/bin/env node
// helm-readme.mjs: writes the table of values in helm/README.md, between its two marks, from the comments in
// helm/values.yaml. A comment belongs to the field below it; a field without one, below a field that has one, is part of
// that field's default.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { parse } from 'yaml'

const file = (name) => fileURLToPath(new URL(`../helm/${name}`, import.meta.url))
const START = '<!-- made by scripts/helm-readme.mjs from the comments in values.yaml -->'
const END = '<!-- end -->'

/** Each field that has a comment: `{ path: ['image', 'tag'], comment }`; and those that neither have one nor are explained. */
export function describedValues(text) {
  const described = []
  const undescribed = []
  const open = []
  let comment = []
  for (const line of text.split('\n')) {
    const [, indent, rest] = /^( *)(.*)$/.exec(line)
    if (rest.startsWith('#')) {
      comment.push({ indent: indent.length, text: rest.replace(/^# ?/, '') })
      continue
    }
    const name = /^([A-Za-z]\w*):(?: |$)/.exec(rest)?.[1]
    if (name === undefined) {
      comment = []
      continue
    }
    while (open.length > 0 && open.at(-1).indent >= indent.length) open.pop()
    const inside = open.some((one) => one.described)
    const own = comment.filter((one) => one.indent === indent.length).map((one) => one.text)
    comment = []
    const path = [...open.map((one) => one.name), name]
    open.push({ name, indent: indent.length, described: inside || own.length > 0 })
    if (own.length > 0) described.push({ path, comment: own.join('\n') })
    else if (!inside && !/:$/.test(rest)) undescribed.push(path.join('.'))
  }
  return { described, undescribed }
}

/** helm/README.md with the table as it has to be. */
export async function helmReadme(readme, values) {
  const defaults = parse(values)
  const rows = describedValues(values).described.map(({ path, comment }) => {
    const value = path.reduce((inside, name) => inside[name], defaults)
    const text = JSON.stringify(value)
    const shown = text.length > 60 ? '[values.yaml](values.yaml)' : `\`${text}\``
    const words = comment.replace(/\n {2,}(.*)/g, ' `$1`').replaceAll('\n', ' ')
    return `| \`${path.join('.')}\` | ${shown} | ${words.replaceAll('|', '\\|')} |`
  })
  const table = ['| value | default | what it is |', '| --- | --- | --- |', ...rows].join('\n')
  const [before, after] = [readme.indexOf(START), readme.indexOf(END)]
  if (before < 0 || after < before) throw new Error('helm/README.md has lost its marks')
  const text = `${readme.slice(0, before + START.length)}\n\n${table}\n\n${readme.slice(after)}`
  return format(text, { ...(await resolveConfig(file('README.md'))), parser: 'markdown' })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = await helmReadme(readFileSync(file('README.md'), 'utf8'), readFileSync(file('values.yaml'), 'utf8'))
  writeFileSync(file('README.md'), text)
}
