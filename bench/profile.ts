import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from './root.js'
import { PROFILES_OF_THIS_RUN } from './start-proxy.js'
import { table } from './table.js'

/** What node writes with --cpu-prof. @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** Ids of nodes, one for each sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

/** Shares of the time in which the process was not idle, from 0 to 1. */
export interface FunctionCost {
  readonly name: string
  /** In the function itself. */
  readonly self: number
  /** In it and in what it called. */
  readonly inclusive: number
}

const IDLE = '(idle)'
const ROOT_NODE = '(root)'

/** The functions of a profile, the dearest by self time first. A function that calls itself is counted once. */
export function costsOf(profile: CpuProfile): readonly FunctionCost[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const own = new Map<number, number>()
  for (const [i, id] of profile.samples.entries())
    own.set(id, (own.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0))
  const self = new Map<string, number>()
  const inclusive = new Map<string, number>()
  const add = (to: Map<string, number>, name: string, time: number): void =>
    void to.set(name, (to.get(name) ?? 0) + time)
  let total = 0
  /** Gives the time of the whole branch. */
  const walk = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    if (name === IDLE) return 0
    const time = own.get(node.id) ?? 0
    total += time
    const path = new Set(above).add(name)
    let sum = time
    for (const child of node.children ?? []) sum += walk(nodes.get(child)!, path)
    add(self, name, time)
    if (!above.has(name)) add(inclusive, name, sum)
    return sum
  }
  const root = profile.nodes.find((node) => node.callFrame.functionName === ROOT_NODE)
  if (root !== undefined) walk(root, new Set())
  return [...self]
    .filter(([name]) => name !== ROOT_NODE)
    .map(([name, time]) => ({ name, self: time / total, inclusive: (inclusive.get(name) ?? 0) / total }))
    .sort((a, b) => b.self - a.self)
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  if (functionName.startsWith('(') && url === '') return functionName
  const name = functionName === '' ? '(anonymous)' : functionName
  const file = url.startsWith('file:') ? fileURLToPath(url).replace(`${ROOT}/`, '') : url
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`
}

const SHOWN = 30

/** The dearest functions of each profile of this run, by self and by inclusive time; idle is left out. */
export function printProfiles(folder: string): string {
  const files = readdirSync(folder).filter(
    (name) => name.includes(PROFILES_OF_THIS_RUN) && name.endsWith('.cpuprofile'),
  )
  return files.map((file) => `\n## ${file}\n\n${summary(readProfile(join(folder, file)))}\n`).join('')
}

const readProfile = (file: string): CpuProfile => JSON.parse(readFileSync(file, 'utf8')) as CpuProfile

function summary(profile: CpuProfile): string {
  const costs = costsOf(profile)
  const rows = (order: readonly FunctionCost[]): string =>
    table(
      ['function', 'self', 'inclusive'],
      order.slice(0, SHOWN).map(({ name, self, inclusive }) => [name, percent(self), percent(inclusive)]),
    )
  return `${rows(costs)}\n\n${rows([...costs].sort((a, b) => b.inclusive - a.inclusive))}`
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
