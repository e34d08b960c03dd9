import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Bench, nginxIfThere, note, withHops } from '../bench.js'
import { stopChild } from '../child.js'
import type { HopName } from '../hop-names.js'
import { CLOSED, type Hop, jobFor } from '../hops.js'
import type { IdleJob, IdleMessage } from '../idle-clients.js'
import { makeLoad } from '../make-load.js'
import { connectionsOf, memoryOf } from '../proc.js'
import { SMALL_GET } from '../scenarios.js'

/** Clients that keep a connection and ask for nothing, and one among them that asks. */
export interface IdleRow {
  readonly hop: HopName
  readonly clients: number
  readonly kibPerClient: number
  /** Of small GETs, one after the other, without the idle clients and with them. */
  readonly alone: { readonly p50Ms: number; readonly p99Ms: number }
  readonly among: { readonly p50Ms: number; readonly p99Ms: number }
}

const PROGRAM = fileURLToPath(new URL('../idle-clients.js', import.meta.url))
const PROCESSES = 4
/** File descriptors of a process for everything else. */
const SPARE = 500

export async function measureIdle(bench: Bench): Promise<readonly IdleRow[]> {
  const wanted = bench.options.idleClients
  const clients = Math.min(wanted, openFilesLimit() - SPARE)
  if (clients < wanted) note(`only ${clients} idle clients: ulimit -Hn allows no more`)
  const rows: IdleRow[] = []
  for (const name of [...nginxIfThere(bench), 'lean pass'] as const) {
    note(`${clients} idle clients of ${name}`)
    rows.push(await withHops([name], bench, ([hop]) => idleOf(bench, hop!, clients)))
  }
  return rows
}

async function idleOf(bench: Bench, hop: Hop, clients: number): Promise<IdleRow> {
  if (hop.running === 'none') throw new Error('nothing to measure')
  const { pid } = hop.running
  // so that the compiler and node's heap are through with what has nothing to do with clients
  await oneClient(bench, hop, Math.ceil(20_000 * bench.options.warmth))
  const alone = await oneClient(bench, hop, 200)
  const before = memoryOf(pid).now
  const children = await connectIdle(bench, hop, clients)
  try {
    const kibPerClient = ((memoryOf(pid).now - before) * 1024) / clients
    const among = await oneClient(bench, hop, 200)
    const open = connectionsOf(pid)
    if (open < clients) throw new Error(`${hop.name} has ${open} connections where ${clients} clients idle`)
    return { hop: hop.name, clients, kibPerClient, alone, among }
  } finally {
    await Promise.all(children.map(stopChild))
  }
}

async function oneClient(
  { options, workshop }: Bench,
  hop: Hop,
  warmUp: number,
): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const scenario = { ...SMALL_GET, connections: 1 }
  const limits = {
    forMs: options.windowMs,
    atTheEnd: 'end',
    warmUp,
    most: Number.MAX_SAFE_INTEGER,
    arrivals: CLOSED,
  } as const
  const { p50Ms, p99Ms } = await makeLoad(jobFor([scenario], hop, workshop, limits), () => undefined)
  return { p50Ms, p99Ms }
}

/** Resolves when all have had their one answer. */
async function connectIdle({ workshop }: Bench, hop: Hop, clients: number): Promise<readonly ChildProcess[]> {
  const limits = { forMs: 0, atTheEnd: 'end', warmUp: 0, most: 0, arrivals: CLOSED } as const
  const { requests, port, scheme, caFile } = jobFor([SMALL_GET], hop, workshop, limits)
  const children: ChildProcess[] = []
  try {
    const idle = Array.from({ length: PROCESSES }, () => {
      const child = fork(PROGRAM)
      children.push(child)
      const job: IdleJob = { port, scheme, caFile, clients: Math.ceil(clients / PROCESSES), request: requests[0]! }
      return new Promise<void>((resolve, reject) => {
        child.on('message', (message) => {
          const said = message as IdleMessage
          if (said.type === 'idle') resolve()
          else reject(new Error(`idle clients of ${hop.name}: ${said.reason}`))
        })
        child.once('exit', (code) => reject(new Error(`idle clients ended with ${code}`)))
        child.once('error', reject)
        child.send(job)
      })
    })
    await Promise.all(idle)
    return children
  } catch (cause) {
    await Promise.all(children.map(stopChild))
    throw cause
  }
}

/** Node and nginx raise their own limit up to the hard one. */
const openFilesLimit = (): number =>
  Number(/^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024)
