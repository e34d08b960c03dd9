import type { HopName } from './hops.js'
import type { Measured } from './measure.js'
import type { RekeyRow } from './rekey.js'
import type { Scenario } from './scenarios.js'

export interface LoadRow {
  readonly scenario: Scenario
  /** The median window of each hop. */
  readonly hops: Partial<Record<HopName, Measured>>
}

export interface MemoryRow {
  readonly name: string
  readonly hop: HopName
  readonly idleMib: number
  readonly peakMib: number
  readonly movedGib: number
}

export interface Report {
  readonly setting: Readonly<Record<string, string>>
  readonly loads: readonly LoadRow[]
  readonly memory: readonly MemoryRow[]
  readonly rekey: readonly RekeyRow[]
}

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
export function markdown({ setting, loads, memory, rekey }: Report): string {
  return [
    '# Benchmark of the proxy',
    Object.entries(setting)
      .map(([name, value]) => `- ${name}: ${value}`)
      .join('\n'),
    ...loads.flatMap(({ scenario, hops }) => [`## ${scenario.name}`, loadTable(scenario, hops)]),
    ...(memory.length === 0 ? [] : ['## Memory of the process', memoryTable(memory)]),
    ...(rekey.length === 0 ? [] : ['## encrypt and rekey, objects of 1 KiB', rekeyTable(rekey)]),
  ].join('\n\n')
}

function rekeyTable(rekey: readonly RekeyRow[]): string {
  return table(
    ['', 'objects', 'upstream requests for each', 'ms for each'],
    rekey.map(({ name, objects, requestsPerObject, msPerObject }) => [
      name,
      String(objects),
      requestsPerObject.toFixed(2),
      msPerObject.toFixed(2),
    ]),
  )
}

function memoryTable(memory: readonly MemoryRow[]): string {
  return table(
    ['', '', 'idle, MiB', 'peak, MiB', 'moved, GiB'],
    memory.map(({ name, hop, idleMib, peakMib, movedGib }) => [
      name,
      hop,
      idleMib.toFixed(0),
      peakMib.toFixed(0),
      movedGib.toFixed(1),
    ]),
  )
}

function loadTable(
  scenario: Scenario,
  { direct, nginx, 'ssec-proxy': proxy, 'lean pass': lean }: LoadRow['hops'],
): string {
  const lines = [...(scenario.shown === 'requests' ? REQUESTS : BYTES), ...BUSY]
  const show = (measured: Measured | undefined, [, member, digits]: Line): string => {
    const value = measured?.[member]
    return value === undefined || (measured === direct && member.startsWith('hop')) ? '–' : value.toFixed(digits)
  }
  const ratio = (of: Measured | undefined, to: Measured | undefined, [, member]: Line): string => {
    const [ours, theirs] = [of?.[member], to?.[member]]
    if (ours === undefined || theirs === undefined || theirs === 0 || member.endsWith('Busy')) return '–'
    return `${(ours / theirs).toFixed(2)} ×`
  }
  return table(
    ['', 'direct', 'nginx', 'ssec-proxy', 'lean pass', 'proxy : nginx', 'lean : nginx', 'lean : direct'],
    lines.map((line) => [
      line[0],
      show(direct, line),
      show(nginx, line),
      show(proxy, line),
      show(lean, line),
      ratio(proxy, nginx, line),
      ratio(lean, nginx, line),
      ratio(lean, direct, line),
    ]),
  )
}

/** A Markdown table with columns of even width, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const pad = (cell: string, i: number): string => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
  const line = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}
