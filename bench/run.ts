import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outputOf } from './child.js'
import { GIB, MIB } from './content.js'
import { type Hop, type HopName, type ProxyName, jobFor } from './hops.js'
import { makeLoad } from './make-load.js'
import { type Measured, measure, median } from './measure.js'
import { type Options, REKEY, USAGE, readOptions } from './options.js'
import { memoryOf } from './proc.js'
import { type RekeyRow, measureRekey } from './rekey.js'
import { type LoadRow, type MemoryRow, type Report, markdown } from './report.js'
import { type Scenario, chosenScenarios, memoryScenario } from './scenarios.js'
import { type Nginx, findNginx, startNginx } from './start-nginx.js'
import { startProxy } from './start-proxy.js'
import { startS3 } from './start-s3.js'
import { type Workshop, openWorkshop } from './workshop.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RESULTS = join(ROOT, 'bench/results')
const MEMORY_BYTES = 256 * MIB
const PROXIES = ['ssec-proxy', 'lean pass'] as const satisfies readonly ProxyName[]

const note = (line: string): void => void process.stderr.write(`${line}\n`)

interface Bench {
  readonly options: Options
  readonly workshop: Workshop
  readonly nginx: Nginx
  readonly s3: Hop & { readonly pid: number }
}

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
  const setting = await settingOf(options, nginx)
  const workshop = openWorkshop()
  const s3 = await startS3(workshop)
  try {
    const bench: Bench = { options, workshop, nginx, s3: { name: 'direct', running: 'none', ...s3 } }
    const loads = await measureLoads(bench)
    const report: Report = { setting, loads, memory: await measureMemory(bench), rekey: await rekeyRows(bench) }
    publish(report, options)
  } finally {
    await s3.stop()
  }
}

/** The commands that move objects to another key. */
async function rekeyRows({ options, workshop }: Bench): Promise<readonly RekeyRow[]> {
  if (options.only.length > 0 && !options.only.includes(REKEY)) return []
  note('encrypt and rekey')
  return measureRekey(options.node, workshop, options.keep ? 5000 : 500)
}

/** Rounds, and in each round every hop after the other: what else the machine does meets them all alike. */
async function measureLoads(bench: Bench): Promise<readonly LoadRow[]> {
  const rows: LoadRow[] = []
  const hops = await startHops(bench)
  try {
    for (const scenario of chosenScenarios(bench.options.only)) {
      note(scenario.name)
      const windows = new Map<HopName, Measured[]>(hops.map(({ name }) => [name, []]))
      for (let round = 0; round < bench.options.rounds; round++) {
        for (const hop of hops) {
          const job = jobFor(scenario, hop, bench.workshop, {
            forMs: bench.options.windowMs,
            atTheEnd: 'end',
            warmUp: Math.ceil((scenario.shown === 'requests' ? (round === 0 ? 2000 : 200) : 8) / scenario.connections),
            most: Number.MAX_SAFE_INTEGER,
          })
          windows.get(hop.name)!.push(await measure(job, hop.running, bench.s3.pid))
        }
      }
      rows.push({ scenario, hops: Object.fromEntries([...windows].map(([name, each]) => [name, median(each)])) })
    }
  } finally {
    for (const { running } of hops) if (running !== 'none') await running.stop()
  }
  return rows
}

/** Each in a process that has done nothing before. */
async function measureMemory(bench: Bench): Promise<readonly MemoryRow[]> {
  const { options, workshop, nginx } = bench
  const rows: MemoryRow[] = []
  if (options.only.length > 0) return rows
  for (const method of ['GET', 'PUT'] as const) {
    const scenario = memoryScenario(method, options.parallel, MEMORY_BYTES)
    note(scenario.name)
    for (const name of nginx.type === 'absent' ? PROXIES : (['nginx', ...PROXIES] as const)) {
      rows.push(await memoryOfHop(scenario, await startHop(name, bench), workshop, options))
    }
  }
  return rows
}

async function memoryOfHop(scenario: Scenario, hop: Hop, workshop: Workshop, options: Options): Promise<MemoryRow> {
  if (hop.running === 'none') throw new Error('nothing to measure')
  const { pid, stop } = hop.running
  try {
    const idle = memoryOf(pid).now
    const limits = { forMs: options.memoryMs, atTheEnd: 'cut', warmUp: 0, most: 1 } as const
    const job = jobFor(scenario, hop, workshop, options.memoryMs === Infinity ? { ...limits, ...WHOLE } : limits)
    const { bytes } = await makeLoad(job, () => undefined)
    return { name: scenario.name, hop: hop.name, idleMib: idle, peakMib: memoryOf(pid).peak, movedGib: bytes / GIB }
  } finally {
    await stop()
  }
}

/** Ten minutes to start in, and no limit to end. JSON between processes knows no Infinity. */
const WHOLE = { forMs: 600_000, atTheEnd: 'end' } as const

async function startHops(bench: Bench): Promise<readonly Hop[]> {
  const nginx = bench.nginx.type === 'present' ? [await startHop('nginx', bench)] : []
  const proxies: Hop[] = []
  for (const name of PROXIES) proxies.push(await startHop(name, bench))
  return [bench.s3, ...nginx, ...proxies]
}

async function startHop(name: 'nginx' | ProxyName, { nginx, options, workshop, s3 }: Bench): Promise<Hop> {
  const running =
    name === 'nginx'
      ? await startNginx(nginx.type === 'present' ? nginx.command : 'nginx', workshop, s3.port)
      : await startProxy(options, workshop, s3.port, name)
  return { name, port: running.port, running }
}

async function settingOf(options: Options, nginx: Nginx): Promise<Record<string, string>> {
  const node = await outputOf(options.node, ['-p', '`${process.version}, OpenSSL ${process.versions.openssl}`'])
  if (node.type === 'failed') throw new Error(`${options.node} cannot be run: ${node.reason}`)
  const commit = await outputOf('git', ['-C', ROOT, 'rev-parse', '--short', 'HEAD'])
  const changed = await outputOf('git', ['-C', ROOT, 'status', '--porcelain', '--', 'src', 'bench'])
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / GIB).toFixed(0)} GiB, ${type()} ${release()}`,
    'load average at the start': loadavg()
      .map((load) => load.toFixed(1))
      .join(' '),
    'proxy runs on node': node.text,
    'load and S3 stand-in run on node': `${process.version}, OpenSSL ${process.versions.openssl}`,
    nginx: nginx.type === 'present' ? nginx.version : 'absent',
    commit: `${textOf(commit)}${textOf(changed) === '' ? '' : ', with changes that are not committed'}`,
    windows: `median of ${options.rounds} × ${options.windowMs / 1000} s; memory ${options.memoryMs === Infinity ? 'to the end' : `${options.memoryMs / 1000} s`}`,
  }
}

const textOf = (output: Awaited<ReturnType<typeof outputOf>>): string =>
  output.type === 'said' ? output.text : 'unknown'

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
