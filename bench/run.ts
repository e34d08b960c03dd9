import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, note } from './bench.js'
import { RIVALS } from './hop-names.js'
import { markdown } from './markdown.js'
import { type Options, type Section, USAGE, readOptions, wantedLoads, wants } from './options.js'
import { printProfiles } from './profile.js'
import { measureRekey } from './rekey.js'
import type { Report } from './report.js'
import { findRivals } from './rivals/rivals.js'
import { ROOT } from './root.js'
import { measureChunks } from './sections/chunks.js'
import { measureIdle } from './sections/idle.js'
import { measureLatency } from './sections/latency.js'
import { measureLoads } from './sections/loads.js'
import { measureGrowth, measureMemory } from './sections/memory.js'
import { measureSoak } from './sections/soak.js'
import { measureStart } from './sections/start.js'
import { measureWorkers } from './sections/workers.js'
import { settingOf } from './setting.js'
import { findNginx } from './start-nginx.js'
import { startS3 } from './start-s3.js'
import { openWorkshop } from './workshop.js'

const RESULTS = join(ROOT, 'bench/results')

async function main(): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new Error('the bench reads /proc, which only Linux has')
  if (process.argv.includes('--help')) {
    process.stdout.write(USAGE)
    return
  }
  const options = await readOptions(process.argv.slice(2))
  const nginx = await findNginx()
  if (nginx.type === 'absent')
    note('nginx is absent (Debian: apt-get install nginx-light): going on without its column')
  const workshop = openWorkshop()
  const s3 = await startS3(workshop)
  try {
    const wanted = wantedLoads(options).some((one) => one.rivals === 'too') ? RIVALS : []
    const rivals = await findRivals(wanted, nginx, workshop, s3.port)
    for (const [name, version] of Object.entries(rivals.setting)) note(`${name}: ${version}`)
    const setting = await settingOf(options, nginx, rivals)
    publish(await measureAll({ options, workshop, nginx, rivals, s3 }, setting), options)
    if (options.profile !== 'none') process.stdout.write(printProfiles(options.profile))
  } finally {
    await s3.stop()
  }
}

async function measureAll(bench: Bench, setting: Report['setting']): Promise<Report> {
  const { options, workshop } = bench
  const some = async <T, N>(section: Section, measure: () => Promise<T>, nothing: N): Promise<T | N> =>
    wants(options, section) ? measure() : nothing
  return {
    setting,
    loads: await measureLoads(bench),
    workers: await some('workers', () => measureWorkers(bench), 'none'),
    latency: await some('latency', () => measureLatency(bench), []),
    growth: await some('growth', () => measureGrowth(bench), []),
    memory: await some('memory', () => measureMemory(bench), []),
    soak: await some('soak', () => measureSoak(bench), 'none'),
    idle: await some('idle', () => measureIdle(bench), []),
    start: await some('start', () => measureStart(bench), 'none'),
    chunks: await some('chunks', () => measureChunks(bench), []),
    rekey: await some('rekey', () => measureRekey(options.node, workshop, options.rekeyObjects), []),
  }
}

function publish(report: Report, options: Options): void {
  const text = `${markdown(report)}\n`
  process.stdout.write(text)
  if (!options.keep) return
  const version = report.setting['proxy runs on node']!.slice(1).split('.')[0]!
  const part = options.only.map((text) => `-${text.replace(/[^a-z0-9]+/g, '-')}`).join('')
  const file = join(RESULTS, `${report.setting['date']!.slice(0, 10)}-node${version}${part}`)
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${file}.md`, text)
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`)
  note(`written: ${file}.md and .json`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

main().catch((cause: unknown) => {
  note(cause instanceof Error ? cause.message : String(cause))
  process.exitCode = 1
})
