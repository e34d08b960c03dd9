import { outputOf } from '../child.js'
import { RIVALS, type RivalName } from '../hop-names.js'
import { CLOSED, type Hop, jobFor } from '../hops.js'
import { makeLoad } from '../make-load.js'
import { transfers } from '../scenarios.js'
import { MIB } from '../content.js'
import type { Nginx } from '../start-nginx.js'
import type { Workshop } from '../workshop.js'
import { goProgram } from '../../test/support/go-program.js'
import { startGoRival } from './go-rivals.js'
import { njsModule, startNjs } from './njs.js'

/** A rival on this machine: what runs it, or why it cannot be had. */
export type Found =
  | { readonly type: 'found'; readonly path: string; readonly version: string }
  | { readonly type: 'absent'; readonly reason: string }

export interface Rivals {
  /** Those that are there. */
  readonly names: readonly RivalName[]
  /** A line for each, for the setting of a report. */
  readonly setting: Readonly<Record<string, string>>
  readonly start: (name: RivalName) => Promise<Hop>
}

const MODULES = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@latest',
  'aws-sigv4-proxy': 'github.com/awslabs/aws-sigv4-proxy/cmd/aws-sigv4-proxy@latest',
  'aws-s3-reverse-proxy': 'github.com/Kriechi/aws-s3-reverse-proxy@latest',
} as const satisfies Partial<Record<RivalName, string>>

/** Looks for all, and tries them; Go's are built once, and kept in the user's cache folder. */
export async function findRivals(
  wanted: readonly RivalName[],
  nginx: Nginx,
  workshop: Workshop,
  s3Port: number,
): Promise<Rivals> {
  const found = new Map<RivalName, Found>()
  const start: Rivals['start'] = async (name) => {
    const rival = found.get(name)
    if (rival?.type !== 'found') throw new Error(`there is no ${name}`)
    if (name === 'nginx + njs') return startNjs(nginx, rival.path, workshop, s3Port)
    return startGoRival(name, rival.path, workshop, s3Port)
  }
  for (const name of RIVALS.filter((one) => wanted.includes(one))) {
    found.set(name, name === 'nginx + njs' ? await njsModule(nginx) : await goRival(name))
    if (found.get(name)?.type !== 'found') continue
    const fault = await faultOf(() => start(name), workshop)
    if (fault !== 'none') found.set(name, { type: 'absent', reason: fault })
  }
  return {
    names: [...found].filter(([, one]) => one.type === 'found').map(([name]) => name),
    setting: Object.fromEntries(
      [...found].map(([name, one]) => [name, one.type === 'found' ? one.version : `absent: ${one.reason}`]),
    ),
    start,
  }
}

/** Whether it starts and passes one request of each kind on. */
async function faultOf(start: () => Promise<Hop>, workshop: Workshop): Promise<string | 'none'> {
  try {
    const hop = await start()
    try {
      const once = { forMs: 10_000, atTheEnd: 'end', warmUp: 0, most: 1, arrivals: CLOSED } as const
      for (const method of ['GET', 'PUT'] as const) {
        await makeLoad(jobFor([transfers(method, 1, MIB, 0)], hop, workshop, once), () => undefined)
      }
      return 'none'
    } finally {
      if (hop.running !== 'none') await hop.running.stop()
    }
  } catch (cause) {
    return (cause as Error).message.trim().replace(/\s+/g, ' ').slice(0, 300)
  }
}

async function goRival(name: keyof typeof MODULES): Promise<Found> {
  const built = await goProgram(MODULES[name])
  if (built.type === 'none') return { type: 'absent', reason: built.reason.replace(/\s+/g, ' ') }
  const told = await outputOf('go', ['version', '-m', built.path])
  const version = told.type === 'said' ? (/^\s+mod\s+\S+\s+(\S+)/m.exec(told.text)?.[1] ?? 'built') : 'built'
  return { type: 'found', path: built.path, version }
}
