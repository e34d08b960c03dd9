import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RECORD_VARIABLE } from '../support/record.js'
import type { Step } from './clients/client.js'

/** What came of one step of one client in one setting. */
export type Outcome =
  | { readonly type: 'works' }
  | { readonly type: 'cannot'; readonly reason: string }
  | { readonly type: 'fails'; readonly error: string }

export interface Result {
  readonly upstream: string
  /** Name and version. */
  readonly client: string
  /** Such as `https, path`. */
  readonly setting: string
  readonly step: Step | 'at rest'
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

/** A Markdown table, a row for each client in each setting, a column for each step, and what cannot be done, with reasons. */
export function formatTable(results: readonly Result[]): string {
  const steps = [...new Set(results.map(({ step }) => step))]
  const rowOf = ({ client, upstream, setting }: Result): string => `${client} | ${upstream} | ${setting}`
  const notes: string[] = []
  const noteOf = (text: string): string => {
    if (!notes.includes(text)) notes.push(text)
    return `[${notes.indexOf(text) + 1}]`
  }
  const cell = (result: Result | undefined): string => {
    if (result === undefined) return ''
    const { outcome, step } = result
    switch (outcome.type) {
      case 'works':
        return 'yes'
      case 'cannot':
        return `– ${noteOf(outcome.reason)}`
      case 'fails':
        return `FAILS ${noteOf(`${step}: ${outcome.error.replace(/\s+/g, ' ').slice(0, 300)}`)}`
    }
  }
  const rows = [...new Set(results.map(rowOf))].map((row) => {
    const own = results.filter((result) => rowOf(result) === row)
    return `| ${row} | ${steps.map((step) => cell(own.find((result) => result.step === step))).join(' | ')} |`
  })
  const head = ['client', 'upstream', 'setting', ...steps.map((step) => step.replace('key: ', ''))]
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows,
    '',
    ...notes.map((note, index) => `[${index + 1}] ${note}  `),
    '',
  ].join('\n')
}
