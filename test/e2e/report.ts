import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RECORD_VARIABLE } from '../support/record.js'
import type { BackupStep } from './backups/backup-tool.js'
import type { Step } from './clients/client.js'

/** What came of one step of one client in one setting. */
export type Outcome =
  | { readonly type: 'works' }
  | { readonly type: 'cannot'; readonly reason: string }
  | { readonly type: 'fails'; readonly error: string }

/** `at rest`: what lies at the upstream. `same writes`: nothing was written or deleted beyond what a run without the proxy does. */
export type ResultStep = Step | BackupStep | 'at rest' | 'same writes'

export interface Result {
  /** Such as `origin` and `opaque`. */
  readonly upstream: string
  readonly client: string
  /** What the program itself says. */
  readonly version: string
  /** Such as `https, path`. */
  readonly setting: string
  readonly step: ResultStep
  readonly outcome: Outcome
}

const RESULTS = 'client-results.jsonl'

/** Keeps results for the table at the end of the run; without a record they are only the test's. */
export function keepResults(results: readonly Result[]): void {
  const folder = process.env[RECORD_VARIABLE]
  if (folder === undefined) return
  appendFileSync(join(folder, RESULTS), results.map((result) => `${JSON.stringify(result)}\n`).join(''))
}

export function keptResults(folder: string): readonly Result[] {
  const file = join(folder, RESULTS)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Result)
}

/** A Markdown table for each upstream and setting: a row for each client, a column for each step; then the reasons. */
export function formatTables(results: readonly Result[]): string {
  const notes: string[] = []
  const headings = [...new Set(results.map(headingOf))]
  const tables = headings.map((heading) => {
    const own = results.filter((result) => headingOf(result) === heading)
    return `## ${heading}\n\n${table(own, notes)}`
  })
  return `${tables.join('\n')}\n${notes.map((note, index) => `${index + 1}. ${note}\n`).join('')}`
}

const headingOf = ({ upstream, setting }: Result): string => `${upstream}: ${setting}`

/** `rclone Other 1.60.1-DEV` of `rclone Other` and `rclone v1.60.1-DEV` */
const nameOf = ({ client, version }: Result): string => `${client} ${/\bv?(\d[\w.+-]*)/.exec(version)?.[1] ?? version}`

function table(results: readonly Result[], notes: string[]): string {
  const clients = [...new Set(results.map(nameOf))]
  const steps = [...new Set(results.map(({ step }) => step))]
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  const rows = clients.map((client) => {
    const cells = steps.map((step) => results.find((result) => nameOf(result) === client && result.step === step))
    return line([client, ...cells.map((result) => cell(result, notes))])
  })
  const head = ['', ...steps.map((step) => escape(step.replace(/^key: (.*)$/, '`$1`')))]
  return line(head) + line(head.map(() => '---')) + rows.join('')
}

const escape = (text: string): string => text.replaceAll('|', '\\|')

function cell(result: Result | undefined, notes: string[]): string {
  if (result === undefined) return ''
  const { outcome, step } = result
  if (outcome.type === 'works') return 'yes'
  const text = outcome.type === 'cannot' ? outcome.reason : `${step}: ${oneLine(outcome.error)}`
  if (!notes.includes(text)) notes.push(text)
  return `${outcome.type === 'cannot' ? 'no' : 'FAILS'} (${notes.indexOf(text) + 1})`
}

/** Of a long one the beginning and the end: a stack trace ends with what went wrong. */
function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 400 ? line : `${line.slice(0, 120)} … ${line.slice(-280)}`
}
