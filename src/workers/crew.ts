import { type Fork, type News, fork } from './fork.js'
import type { Logger } from '../telemetry/logger.js'
import { StartError } from '../server/start-error.js'

export interface CrewTimes {
  /** Before a worker that crashed is replaced; doubled for each further crash in a row. */
  readonly firstBackoffMs: number
  readonly longestBackoffMs: number
  /** A worker that lived this long has ended the row. */
  readonly stableMs: number
}

/** The workers of a primary. */
export interface Crew {
  /** Where they listen, as the first one that was ready said. */
  readonly addresses: readonly string[]
  readonly all: () => readonly Fork[]
  readonly ready: () => readonly Fork[]
  /** @returns how to stop listening */
  readonly listen: (hear: (news: News, from: Fork) => void) => () => void
  /** From now on a worker that ends is not replaced. */
  readonly letGo: () => void
}

/**
 * Forks `count` workers and resolves when all are ready. From then on one that ends is replaced, later and later the
 * more of its successors end early.
 *
 * @param hear is told everything from the first word of the first worker on
 * @throws StartError where one ends before that: its own line. No worker is left then.
 */
export async function startCrew(
  count: number,
  times: CrewTimes,
  log: Logger,
  hear: (news: News, from: Fork) => void,
): Promise<Crew> {
  const all = new Map<number, Fork>()
  const ready = new Map<number, Fork>()
  const hearers = new Set<(news: News, from: Fork) => void>([hear])
  const timers = new Set<NodeJS.Timeout>()
  let phase: 'starting' | 'running' | 'closing' = 'starting'

  const replace = (crashes: number, about: Readonly<Record<string, unknown>>) => {
    const waitMs = Math.min(times.longestBackoffMs, times.firstBackoffMs * 2 ** crashes)
    log.error({ ...about, waitMs }, 'worker ended, to be replaced')
    const timer = setTimeout(() => {
      timers.delete(timer)
      start(crashes + 1)
    }, waitMs)
    timers.add(timer)
  }
  const start = (crashes: number) => {
    const started = performance.now()
    let reason = 'it gave no reason'
    const made = fork((news, from) => {
      if (news.type === 'ssec-proxy/ready') ready.set(from.id, from)
      if (news.type === 'ssec-proxy/failed') reason = news.message
      if (news.type === 'gone') {
        all.delete(from.id)
        ready.delete(from.id)
        const inARow = performance.now() - started > times.stableMs ? 0 : crashes
        if (phase === 'running') replace(inARow, { worker: from.id, how: news.how, reason })
      }
      for (const hear of [...hearers]) hear(news, from)
    })
    all.set(made.id, made)
  }
  const letGo = () => {
    phase = 'closing'
    for (const timer of timers) clearTimeout(timer)
  }
  const crew = {
    all: () => [...all.values()],
    ready: () => [...ready.values()],
    listen: (hear: (news: News, from: Fork) => void) => {
      hearers.add(hear)
      return () => void hearers.delete(hear)
    },
    letGo,
  }
  for (let i = 0; i < count; i++) start(0)
  try {
    const addresses = await allReady(crew, count)
    phase = 'running'
    return { addresses, ...crew }
  } catch (cause) {
    letGo()
    const gone = allGone(crew)
    for (const left of crew.all()) left.kill()
    await gone
    throw cause
  }
}

function allReady(crew: Omit<Crew, 'addresses'>, count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let said: string | undefined
    const stop = crew.listen((news) => {
      if (news.type === 'ssec-proxy/failed') said ??= news.message
      if (news.type === 'gone') {
        stop()
        reject(new StartError(said ?? `a worker ended at its start (${news.how}); its output says why`))
      }
      if (news.type === 'ssec-proxy/ready' && crew.ready().length === count) {
        stop()
        resolve(news.addresses)
      }
    })
  })
}

/** Resolves when no worker is left. */
export function allGone(crew: Omit<Crew, 'addresses'>): Promise<void> {
  return new Promise((resolve) => {
    if (crew.all().length === 0) resolve()
    const stop = crew.listen(() => {
      if (crew.all().length > 0) return
      stop()
      resolve()
    })
  })
}
