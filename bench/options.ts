import { parseArgs } from 'node:util'
import { resolve } from 'node:path'
import { outputOf } from './child.js'
import { GIB } from './content.js'
import { type Scenario, chosenScenarios } from './scenarios.js'

export interface Options {
  /** Windows of each load for each hop; their median is shown. */
  readonly rounds: number
  readonly windowMs: number
  /** Of each paced load; a p99 wants more requests than a mean. */
  readonly latencyMs: number
  /** Share of the usual warm-up, from 0 to 1. */
  readonly warmth: number
  /** How many transfers memory is measured under, and for how long; `Infinity` lets them end. */
  readonly parallel: number
  readonly memoryMs: number
  /** The large object whose memory is compared with a small one's. */
  readonly largeBytes: number
  readonly soakRequests: number
  readonly idleClients: number
  readonly rekeyObjects: number
  /** The node that runs the proxy. */
  readonly node: string
  /** Sections, and loads whose names hold one of these texts, in lower case; empty: everything. */
  readonly only: readonly string[]
  /** Quick runs are too short to keep. */
  readonly keep: boolean
  /** Where CPU profiles of the proxies are written. */
  readonly profile: string | 'none'
}

/** What `--only` calls what is not one of the loads. */
export const SECTIONS = ['workers', 'latency', 'memory', 'growth', 'soak', 'idle', 'start', 'chunks', 'rekey'] as const
export type Section = (typeof SECTIONS)[number]

export const wants = ({ only }: Pick<Options, 'only'>, section: Section): boolean =>
  only.length === 0 || only.includes(section)

/** What is called as a section is no part of a load's name. */
export function wantedLoads({ only }: Pick<Options, 'only'>): readonly Scenario[] {
  const texts = only.filter((text) => !isSection(text))
  return only.length > 0 && texts.length === 0 ? [] : chosenScenarios(texts)
}

const isSection = (text: string): boolean => SECTIONS.some((section) => section === text)

export const USAGE = `npm run bench -- [--quick] [--node=26] [--parallel=64] [--full] [--only=TEXT,TEXT] [--profile=FOLDER]

  --quick       one short window of each load, fewer clients and smaller objects: some two minutes, nothing is written
  --node=26     runs the proxy (not the load) with npm's package node@26, or with a node at a path
  --parallel=N  transfers that memory is measured under (default 64)
  --full        lets these transfers of 256 MiB end, instead of 8 s of them: minutes
  --only=TEXT   only some (with commas): sections (${SECTIONS.join(', ')}) or loads with TEXT in
                their names; the result is kept under that name too
  --profile=FOLDER  a CPU profile of each proxy process, for Chrome's DevTools, and its dearest functions; best with --only
`

const LONG = {
  rounds: 3,
  windowMs: 2500,
  latencyMs: 3000,
  warmth: 1,
  memoryMs: 8000,
  largeBytes: 5 * GIB,
  soakRequests: 200_000,
  idleClients: 10_000,
  rekeyObjects: 5000,
}

const QUICK: typeof LONG = {
  rounds: 1,
  windowMs: 700,
  latencyMs: 1000,
  warmth: 0.2,
  memoryMs: 1000,
  largeBytes: GIB,
  soakRequests: 10_000,
  idleClients: 1000,
  rekeyObjects: 500,
}

/** @throws Error that says what is wrong with the arguments, or that the node cannot be had */
export async function readOptions(args: readonly string[]): Promise<Options> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      node: { type: 'string' },
      only: { type: 'string' },
      parallel: { type: 'string', default: '64' },
      profile: { type: 'string' },
    },
  })
  const parallel = Number(values.parallel)
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 500) throw new Error('--parallel is from 1 to 500')
  const only = values.only?.toLowerCase().split(',') ?? []
  const known = (text: string): boolean => isSection(text) || (text !== '' && chosenScenarios([text]).length > 0)
  const unknown = only.find((text) => !known(text))
  if (unknown !== undefined) throw new Error(`--only: no section or load has ${JSON.stringify(unknown)} in its name`)
  const length = values.quick ? QUICK : LONG
  return {
    ...length,
    only,
    parallel,
    memoryMs: values.full ? Infinity : length.memoryMs,
    node: values.node === undefined ? process.execPath : await nodeCalled(values.node),
    keep: !values.quick && values.profile === undefined,
    profile: values.profile === undefined ? 'none' : resolve(values.profile),
  }
}

async function nodeCalled(name: string): Promise<string> {
  if (!/^\d+(\.\d+)*$/.test(name)) return name
  const args = ['--yes', '--package', `node@${name}`, '--', 'node', '-p', 'process.execPath']
  const found = await outputOf('npx', args)
  if (found.type === 'failed') throw new Error(`npx cannot run node@${name}: ${found.reason}`)
  return found.text.split('\n').at(-1)!
}
