import { parseArgs } from 'node:util'
import { resolve } from 'node:path'
import { outputOf } from './child.js'
import { chosenScenarios } from './scenarios.js'

export interface Options {
  /** Windows of each load for each hop; their median is shown. */
  readonly rounds: number
  readonly windowMs: number
  /** How many transfers memory is measured under, and for how long; `Infinity` lets them end. */
  readonly parallel: number
  readonly memoryMs: number
  /** The node that runs the proxy. */
  readonly node: string
  /** Loads whose names hold one of these texts, in lower case, and no memory; empty: everything. */
  readonly only: readonly string[]
  /** Quick runs are too short to keep. */
  readonly keep: boolean
  /** Where CPU profiles of the proxies are written. */
  readonly profile: string | 'none'
}

/** What `--only` calls the commands that move objects to another key. */
export const REKEY = 'rekey'

export const USAGE = `npm run bench -- [--quick] [--node=26] [--parallel=64] [--full] [--only=TEXT,TEXT] [--profile=FOLDER]

  --quick       one short window of each load: under a minute, nothing is written
  --node=26     runs the proxy (not the load) with npm's package node@26, or with a node at a path
  --parallel=N  transfers that memory is measured under (default 64)
  --full        lets these transfers of 256 MiB end, instead of 12 s of them: minutes
  --only=TEXT   only loads with TEXT (or one of several, with commas) in their names, without memory; the result is kept under that name too
  --profile=FOLDER  a CPU profile of each proxy process, for Chrome's DevTools, and its dearest functions; best with --only
`

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
  const unknown = only.find((text) => text === '' || (text !== REKEY && chosenScenarios([text]).length === 0))
  if (unknown !== undefined) throw new Error(`--only: no load has ${JSON.stringify(unknown)} in its name`)
  return {
    only,
    rounds: values.quick ? 1 : 3,
    windowMs: values.quick ? 1000 : 1500,
    parallel,
    memoryMs: values.full ? Infinity : values.quick ? 2000 : 12_000,
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
