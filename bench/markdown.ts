import { GIB, KIB, MIB } from './content.js'
import { HOPS, type HopName, PROXIES, RIVALS } from './hop-names.js'
import { BODY_LOADS, SMALL_LOAD, goalTable } from './goals.js'
import type { Measured } from './measure.js'
import type { Report } from './report.js'
import type { ChunkRow } from './sections/chunks.js'
import type { GrowthRow, MemoryRow } from './sections/memory.js'
import type { IdleRow } from './sections/idle.js'
import type { LatencyRow } from './sections/latency.js'
import type { LoadRow } from './sections/loads.js'
import type { SoakResult } from './sections/soak.js'
import type { StartResult } from './sections/start.js'
import { PROCESSORS_FOR_WORKERS, type WorkersResult } from './sections/workers.js'
import type { RekeyRow } from './rekey.js'
import { ratio, table } from './table.js'

type Line = readonly [label: string, member: keyof Measured, digits: number]

const REQUESTS: readonly Line[] = [
  ['requests/s', 'requestsPerSecond', 0],
  ['p50, ms', 'p50Ms', 2],
  ['p99, ms', 'p99Ms', 2],
  ['CPU of the hop, ms/request', 'hopCpuMsPerRequest', 3],
  ['CPU of all three, ms/request', 'allCpuMsPerRequest', 3],
]
const BYTES: readonly Line[] = [
  ['MB/s', 'mbPerSecond', 0],
  ['CPU of the hop, s/GiB', 'hopCpuSecondsPerGib', 2],
  ['CPU of all three, s/GiB', 'allCpuSecondsPerGib', 2],
]
const BUSY: readonly Line[] = [
  ['busy: the hop, processors', 'hopBusy', 2],
  ['busy: S3 stand-in', 's3Busy', 2],
  ['busy: client', 'clientBusy', 2],
  ['busy: others on the machine', 'othersBusy', 2],
]

/** Markdown that reads as plain text as well. */
export function markdown(report: Report): string {
  const settings = Object.entries(report.setting).map(([name, value]) => `- ${name}: ${value}`)
  return [
    '# Benchmark of the proxy',
    settings.join('\n'),
    ...goalTable(report),
    ...sectionsOf(report).flatMap(({ title, text }) => [`## ${title}`, text]),
  ].join('\n\n')
}

export interface Section {
  readonly title: string
  readonly text: string
  /** Names of the plots that show it (plots/plots.ts). */
  readonly plots: readonly string[]
}

/** What was measured. */
export function sectionsOf(report: Report): readonly Section[] {
  const one = (title: string, text: string, ...plots: readonly string[]): Section => ({ title, text, plots })
  const rows = <T>(of: readonly T[], make: (of: readonly T[]) => Section): readonly Section[] =>
    of.length === 0 ? [] : [make(of)]
  const { workers, soak, start } = report
  return [
    ...report.loads.map((row) => one(row.scenario.name, loadTable(row), ...(PLOT_AT[row.scenario.name] ?? []))),
    ...(workers === 'none' ? [] : [one('One worker and two', workersTable(workers))]),
    ...rows(report.latency, (of) => one('Small GETs at half load', latencyTable(of), 'latency')),
    ...rows(report.growth, (of) => one('Memory, by size of the object', growthTable(of), 'memory-size')),
    ...rows(report.memory, (of) => one('Memory, many transfers at once', memoryTable(of), 'memory-parallel')),
    ...(soak === 'none' ? [] : [one('Soak', soakTable(soak))]),
    ...rows(report.idle, (of) => one('Idle clients', idleTable(of))),
    ...(start === 'none' ? [] : [one('Start', startTable(start))]),
    ...rows(report.chunks, (of) => one('Verification of signed chunks', chunksTable(of))),
    ...rows(report.rekey, (of) => one('encrypt and rekey, objects of 1 KiB', rekeyTable(of))),
  ]
}

/** A plot of several loads stands at the first of them. */
const PLOT_AT: Readonly<Record<string, readonly string[]>> = {
  [SMALL_LOAD]: ['small-get'],
  [BODY_LOADS[0]]: ['bodies'],
}

/** The hops that were measured, and ratios: each proxy to nginx, the lean pass to everything else. */
function loadTable({ scenario, hops }: LoadRow): string {
  const lines = [...(scenario.shown === 'requests' ? REQUESTS : BYTES), ...BUSY]
  const names = HOPS.filter((name) => hops[name] !== undefined)
  const ratios: readonly (readonly [HopName, HopName])[] = [
    ...PROXIES.map((proxy) => [proxy, 'nginx'] as const),
    ...RIVALS.map((rival) => ['lean pass', rival] as const),
    ['lean pass', 'direct'] as const,
  ].filter(([of, to]) => hops[of] !== undefined && hops[to] !== undefined)
  const value = (name: HopName, member: keyof Measured): number | undefined =>
    name === 'direct' && member.startsWith('hop') ? undefined : hops[name]?.[member]
  return table(
    ['', ...names, ...ratios.map(([of, to]) => `${of.replace(/ pass$/, '')} : ${to}`)],
    lines.map(([label, member, digits]) => [
      label,
      ...names.map((name) => value(name, member)?.toFixed(digits) ?? '–'),
      ...ratios.map(([of, to]) => (member.endsWith('Busy') ? '–' : ratio(value(of, member), value(to, member)))),
    ]),
  )
}

function workersTable({ processors, one, two }: WorkersResult): string {
  const line = (label: string, member: keyof Measured, digits: number): readonly string[] => [
    label,
    one[member].toFixed(digits),
    two[member].toFixed(digits),
    ratio(two[member], one[member]),
  ]
  const rows = table(
    ['', 'one worker', 'two workers', 'two : one'],
    [
      line('requests/s', 'requestsPerSecond', 0),
      line('CPU of the workers, ms/request', 'hopCpuMsPerRequest', 3),
      line('busy: the workers, processors', 'hopBusy', 2),
      line('busy: S3 stand-in', 's3Busy', 2),
      line('busy: client', 'clientBusy', 2),
    ],
  )
  if (processors >= PROCESSORS_FOR_WORKERS) return rows
  return (
    `${rows}\n\nOnly ${processors} processors: a second worker has none of its own beside the client and the stand-in, so that ` +
    'throughput says nothing here.'
  )
}

const latencyTable = (rows: readonly LatencyRow[]): string =>
  table(
    [
      '',
      'saturated, requests/s',
      'paced, requests/s',
      'direct p50, ms',
      'p50, ms',
      'added',
      'direct p99, ms',
      'p99, ms',
      'added',
    ],
    rows.map(({ hop, saturatedPerSecond, pacedPerSecond, direct, through, addedP50Ms, addedP99Ms }) => [
      hop,
      saturatedPerSecond.toFixed(0),
      pacedPerSecond.toFixed(0),
      ...[direct.p50Ms, through.p50Ms, addedP50Ms, direct.p99Ms, through.p99Ms, addedP99Ms].map((ms) => ms.toFixed(2)),
    ]),
  )

const growthTable = (rows: readonly GrowthRow[]): string =>
  table(
    ['', 'object', 'peak, MiB', 'object', 'peak, MiB', 'growth, MiB', 'large : small'],
    rows.map(({ hop, smallBytes, smallPeakMib, largeBytes, largePeakMib }) => [
      hop,
      `${smallBytes / MIB} MiB`,
      smallPeakMib.toFixed(0),
      `${largeBytes / GIB} GiB`,
      largePeakMib.toFixed(0),
      (largePeakMib - smallPeakMib).toFixed(0),
      ratio(largePeakMib, smallPeakMib),
    ]),
  )

const memoryTable = (rows: readonly MemoryRow[]): string =>
  table(
    ['', '', 'idle, MiB', 'peak, MiB', 'moved, GiB', 'peak : idle'],
    rows.map(({ name, hop, idleMib, peakMib, movedGib }) => [
      name,
      hop,
      idleMib.toFixed(0),
      peakMib.toFixed(0),
      movedGib.toFixed(1),
      ratio(peakMib, idleMib),
    ]),
  )

function soakTable({ requests, aborted, connections, before, after }: SoakResult): string {
  const line = (label: string, member: keyof typeof before, digits: number): readonly string[] => [
    label,
    before[member].toFixed(digits),
    after[member].toFixed(digits),
    ratio(after[member], before[member]),
  ]
  return (
    `${requests} requests over ${connections} connections, ${aborted} of them aborted. Garbage collected, no client connected.\n\n` +
    table(
      ['', 'after a tenth', 'at the end', 'end : tenth'],
      [
        line('heap, MiB', 'heapMib', 1),
        line('buffers and other external memory, MiB', 'externalMib', 1),
        line('resident, MiB', 'rssMib', 0),
        line('handles', 'handles', 0),
      ],
    )
  )
}

const idleTable = (rows: readonly IdleRow[]): string =>
  table(
    [
      '',
      'idle clients',
      'KiB for each',
      'p50 alone, ms',
      'among them',
      'p99 alone, ms',
      'among them',
      'p50 among : alone',
    ],
    rows.map(({ hop, clients, kibPerClient, alone, among }) => [
      hop,
      String(clients),
      kibPerClient.toFixed(1),
      ...[alone.p50Ms, among.p50Ms, alone.p99Ms, among.p99Ms].map((ms) => ms.toFixed(2)),
      ratio(among.p50Ms, alone.p50Ms),
    ]),
  )

const startTable = ({ runs, toReadyMs, nodeAloneMs }: StartResult): string =>
  table(
    [`median of ${runs}`, 'ms', ': node alone'],
    [
      ['start to ready', toReadyMs.toFixed(0), ratio(toReadyMs, nodeAloneMs)],
      ['node alone', nodeAloneMs.toFixed(0), ratio(nodeAloneMs, nodeAloneMs)],
    ],
  )

const chunksTable = (rows: readonly ChunkRow[]): string =>
  table(
    ['', 'SHA-256 alone, MiB/s', 'verified, MiB/s', 'verified : SHA-256'],
    rows.map(({ chunkBytes, sha256MibPerSecond, verifiedMibPerSecond, ratio: share }) => [
      `chunks of ${chunkBytes / KIB} KiB`,
      sha256MibPerSecond.toFixed(0),
      verifiedMibPerSecond.toFixed(0),
      `${share.toFixed(2)} ×`,
    ]),
  )

const rekeyTable = (rows: readonly RekeyRow[]): string =>
  table(
    ['', 'objects', 'upstream requests for each', 'ms for each'],
    rows.map(({ name, objects, requestsPerObject, msPerObject }) => [
      name,
      String(objects),
      requestsPerObject.toFixed(2),
      msPerObject.toFixed(2),
    ]),
  )
