import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PAGE, PLOT_FOLDER, makePage, newestResults } from '../../bench/plots/page.js'
import { readReport } from '../../bench/report.js'
import { ROOT } from '../../bench/root.js'

const RESULTS = join(ROOT, 'bench/results')

t.test('the performance page and its plots are those of the newest results', async (t) => {
  const made = await makePage(newestResults())
  t.ok(made.size > 1, 'there are plots')
  for (const [path, text] of made) {
    const there = join(ROOT, path)
    t.equal(
      existsSync(there) ? readFileSync(there, 'utf8') : 'no file',
      text,
      `${path} is what \`npm run plots\` writes`,
    )
  }
  const drawn = readdirSync(join(ROOT, PLOT_FOLDER)).map((file) => `${PLOT_FOLDER}/${file}`)
  t.same(drawn.sort(), [...made.keys()].filter((path) => path !== PAGE).sort(), 'no plot is left of older results')
})

t.test('the page shows the figures of the results, and each plot is shown', async (t) => {
  const { name, report } = newestResults()
  const page = readFileSync(join(ROOT, PAGE), 'utf8')
  t.ok(page.includes(`bench/results/${name}.md`), 'it names them')
  for (const { scenario, hops } of report.loads) {
    t.ok(page.includes(`## ${scenario.name}`), scenario.name)
    const [member, digits] =
      scenario.shown === 'requests' ? (['hopCpuMsPerRequest', 3] as const) : (['hopCpuSecondsPerGib', 2] as const)
    const figures = [hops.nginx, hops['lean pass']].flatMap((measured) => measured?.[member].toFixed(digits) ?? [])
    t.ok(
      page
        .split('\n')
        .some((line) => line.startsWith('| CPU of the hop') && figures.every((one) => line.includes(one))),
      `CPU of ${scenario.name}`,
    )
  }
  for (const file of readdirSync(join(ROOT, PLOT_FOLDER))) t.ok(page.includes(`(performance/${file})`), file)
})

t.test('results that are kept can be read, and have their text beside them', async (t) => {
  const files = readdirSync(RESULTS).filter((file) => file.endsWith('.json'))
  t.ok(files.length > 0)
  for (const file of files) {
    const { setting, loads } = readReport(readFileSync(join(RESULTS, file), 'utf8'))
    t.match(setting['proxy runs on node'], /^v\d+/, `${file} says which node`)
    t.ok(
      setting['machine'] !== undefined && setting['commit'] !== undefined,
      `${file} says where, and what was measured`,
    )
    const text = readFileSync(join(RESULTS, file.replace('.json', '.md')), 'utf8')
    for (const { scenario } of loads) t.ok(text.includes(`## ${scenario.name}`), `${file}: ${scenario.name}`)
  }
})
