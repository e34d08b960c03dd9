import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { goalTable } from '../goals.js'
import { sectionsOf } from '../markdown.js'
import { type Report, readReport } from '../report.js'
import { ROOT } from '../root.js'
import { draw } from './draw.js'
import { plotsOf } from './plots.js'

/** Files that are made from results: their paths below the repository's folder, and their text. */
export type Made = ReadonlyMap<string, string>

export const PAGE = 'docs/performance.md'
export const PLOT_FOLDER = 'docs/performance'
const START = '<!-- from here on: written by `npm run plots` from the newest results -->'

/** The newest results of a whole run: those of `--only` have more in their name. */
export function newestResults(): { readonly name: string; readonly report: Report } {
  const folder = join(ROOT, 'bench/results')
  const whole = readdirSync(folder).filter((file) => /^\d{4}-\d\d-\d\d-node\d+\.json$/.test(file))
  const read = whole.map((file) => ({
    name: file.replace('.json', ''),
    report: readReport(readFileSync(join(folder, file), 'utf8')),
  }))
  const date = ({ report }: { report: Report }): string => report.setting['date'] ?? ''
  const [newest] = read.sort((a, b) => (date(a) < date(b) ? 1 : -1))
  if (newest === undefined) throw new Error('there are no results of a whole run in bench/results')
  return newest
}

/** The plots, and docs/performance.md with its figures; what stands above them stays as it is. */
export async function makePage({ name, report }: ReturnType<typeof newestResults>): Promise<Made> {
  const plots = plotsOf(report)
  const made = new Map<string, string>()
  for (const plot of plots) made.set(`${PLOT_FOLDER}/${plot.name}.svg`, await draw(plot.specification))
  const [above, mark] = readFileSync(join(ROOT, PAGE), 'utf8').split(START)
  if (above === undefined || mark === undefined) throw new Error(`${PAGE} has lost the line ${START}`)
  const image = (of: string): readonly string[] =>
    plots.filter((plot) => plot.name === of).map(({ name: file, alt }) => `![${alt}](performance/${file}.svg)`)
  const { date = '', machine = '', nginx = '', commit = '' } = report.setting
  const text = [
    above.trimEnd(),
    START,
    `From [bench/results/${name}.md](../bench/results/${name}.md): ${date}, ${machine}; the proxy on node ${report.setting['proxy runs on node'] ?? ''}; ${nginx}; commit ${commit}.`,
    ...goalTable(report),
    ...sectionsOf(report).flatMap(({ title, text: body, plots: names }) => [
      `## ${title}`,
      ...names.flatMap(image),
      body,
    ]),
  ].join('\n\n')
  const config = (await resolveConfig(join(ROOT, PAGE))) ?? {}
  made.set(PAGE, await format(`${text}\n`, { ...config, parser: 'markdown' }))
  return made
}
