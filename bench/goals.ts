import { HOPS, type HopName, RIVALS } from './hop-names.js'
import type { Measured } from './measure.js'
import type { Report } from './report.js'
import { PROCESSORS_FOR_WORKERS } from './sections/workers.js'
import { table } from './table.js'

/** One thing that the proxy is meant to reach, and where this run found it. */
export interface Goal {
  readonly name: string
  readonly value: number
  readonly unit: '×' | 'ms' | 'MiB'
  readonly goal: { readonly type: 'at most' | 'at least'; readonly value: number }
  /** What the figure cannot say on this machine. */
  readonly remark: string
}

export const reached = ({ value, goal }: Goal): boolean =>
  goal.type === 'at most' ? value <= goal.value : value >= goal.value

/** The names of the loads that most is said about. */
export const SMALL_LOAD = 'GET 1 KiB, 32 connections'
export const BODY_LOADS = ['GET 8 MiB', 'PUT 8 MiB, unsigned payload'] as const

/** Those of the lean pass that this run has figures for. */
export function goalsOf(report: Report): readonly Goal[] {
  return [
    ...loadGoals(report),
    ...workersGoal(report),
    ...latencyGoal(report),
    ...memoryGoals(report),
    ...restGoals(report),
  ]
}

export function goalTable(report: Report): readonly string[] {
  const goals = goalsOf(report)
  if (goals.length === 0) return []
  const rows = goals.map((goal) => [
    `${goal.name}${goal.remark === '' ? '' : ` (${goal.remark})`}`,
    withUnit(goal.value, goal.unit),
    `${goal.goal.type === 'at most' ? '≤' : '≥'} ${withUnit(goal.goal.value, goal.unit)}`,
    reached(goal) ? 'yes' : 'no',
  ])
  return ['## Goals', table(['lean pass', 'here', 'goal', 'reached'], rows)]
}

function withUnit(value: number, unit: Goal['unit']): string {
  return `${value.toFixed(unit === 'MiB' || value >= 100 ? 0 : 2)} ${unit}`
}

const atMost = (value: number) => ({ type: 'at most', value }) as const
const atLeast = (value: number) => ({ type: 'at least', value }) as const

function loadGoals({ loads }: Report): readonly Goal[] {
  const compared = (
    load: string,
    member: keyof Measured,
    to: HopName,
    goal: Goal['goal'],
    name: string,
  ): readonly Goal[] => {
    const hops = loads.find(({ scenario }) => scenario.name === load)?.hops
    const [ours, theirs] = [hops?.['lean pass']?.[member], hops?.[to]?.[member]]
    if (ours === undefined || theirs === undefined || theirs === 0) return []
    return [{ name: `${name} : ${to}`, value: ours / theirs, unit: '×', goal, remark: '' }]
  }
  const against = (to: HopName, small: number, body: number): readonly Goal[] => [
    ...compared(SMALL_LOAD, 'hopCpuMsPerRequest', to, atMost(small), 'CPU per GET of 1 KiB'),
    ...BODY_LOADS.flatMap((load) =>
      compared(load, 'hopCpuSecondsPerGib', to, atMost(body), `CPU per GiB, ${load.replace(/,.*/, '')}`),
    ),
  ]
  return [...against('nginx', 2.5, 0.95), ...HOPS.filter(isRival).flatMap((rival) => against(rival, 1, 1))]
}

const isRival = (name: HopName): boolean => RIVALS.some((rival) => rival === name)

function workersGoal({ workers }: Report): readonly Goal[] {
  if (workers === 'none') return []
  const { processors, one, two } = workers
  const value = two.requestsPerSecond / one.requestsPerSecond
  const remark = processors < PROCESSORS_FOR_WORKERS ? `says nothing on ${processors} processors` : ''
  return [{ name: 'throughput, two workers : one', value, unit: '×', goal: atLeast(1.8), remark }]
}

function latencyGoal({ latency }: Report): readonly Goal[] {
  const lean = latency.find(({ hop }) => hop === 'lean pass')
  if (lean === undefined) return []
  // Client, hop and stand-in share the processors: what nginx adds says how much of it is the machine's.
  const nginx = latency.find(({ hop }) => hop === 'nginx')
  return [
    {
      name: 'p99 added to a GET of 1 KiB at half load',
      value: lean.addedP99Ms,
      unit: 'ms',
      goal: atMost(1),
      remark: nginx === undefined ? '' : `nginx adds ${nginx.addedP99Ms.toFixed(2)} ms`,
    },
  ]
}

function memoryGoals({ growth, memory }: Report): readonly Goal[] {
  const grown = growth.find(({ hop }) => hop === 'lean pass')
  return [
    ...(grown === undefined
      ? []
      : [
          {
            name: `growth of the peak from 1 MiB to ${grown.largeBytes / 1024 ** 3} GiB objects`,
            value: grown.largePeakMib - grown.smallPeakMib,
            unit: 'MiB',
            goal: atMost(32),
            remark: '',
          } as const,
        ]),
    ...memory
      .filter(({ hop }) => hop === 'lean pass')
      .map(
        ({ name, peakMib }) =>
          ({ name: `peak, ${name}`, value: peakMib, unit: 'MiB', goal: atMost(256), remark: '' }) as const,
      ),
  ]
}

/** What "equal" means for a heap after a soak: garbage collection leaves some hundred KiB more or less. */
export const SOAK_NOISE_MIB = 2

function restGoals({ soak, idle, start, chunks }: Report): readonly Goal[] {
  const row = idle.find(({ hop }) => hop === 'lean pass')
  return [
    ...(soak === 'none'
      ? []
      : [
          {
            name: `growth of the heap over a soak of ${soak.requests} requests`,
            value: soak.after.heapMib + soak.after.externalMib - soak.before.heapMib - soak.before.externalMib,
            unit: 'MiB',
            goal: atMost(SOAK_NOISE_MIB),
            remark: `handles ${soak.before.handles} and ${soak.after.handles}`,
          } as const,
        ]),
    ...(row === undefined
      ? []
      : [
          {
            name: `p99 of a GET among ${row.clients} idle clients, added`,
            value: row.among.p99Ms - row.alone.p99Ms,
            unit: 'ms',
            goal: atMost(1),
            remark: `${row.kibPerClient.toFixed(0)} KiB for each client`,
          } as const,
        ]),
    ...(start === 'none'
      ? []
      : [{ name: 'start to ready', value: start.toReadyMs, unit: 'ms', goal: atMost(1000), remark: '' } as const]),
    ...chunks.map(({ chunkBytes, ratio }) => {
      const name = `speed of verified chunks of ${chunkBytes / 1024} KiB : SHA-256`
      return { name, value: ratio, unit: '×', goal: atLeast(0.8), remark: '' } as const
    }),
  ]
}
