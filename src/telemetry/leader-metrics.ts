import { bounded, metricRegistry } from './metric-registry.js'

export interface LeaderMetrics {
  /** A worker ended without having been told to: `code 1`, `SIGKILL`. */
  readonly workerCrashed: (how: string) => void
  /** How many workers there should be, take requests, and answered when their metrics were asked for. */
  readonly workers: (count: { readonly wanted: number; readonly ready: number; readonly answered: number }) => void
  /** What became of a configuration file that changed. */
  readonly configReload: (result: 'accepted' | 'refused' | 'restored') => void
  /** Prometheus' text format. */
  readonly text: () => Promise<string>
}

const MOST_ENDS = 20

/** What there is once, however many workers serve: the program itself, and how its workers are. */
export function leaderMetrics(about: {
  readonly version: string
  readonly nodeVersion: string
  readonly started: Date
}): LeaderMetrics {
  const registry = metricRegistry()
  registry.gauge({ name: 'build_info', help: 'The program', labels: ['version', 'node_version'], across: 'first' })(
    { version: about.version, node_version: about.nodeVersion },
    1,
  )
  registry.gauge({ name: 'start_time_seconds', help: 'When it was started, seconds since 1970', across: 'first' })(
    {},
    about.started.getTime() / 1000,
  )
  const workers = registry.gauge({
    name: 'workers',
    help: 'Processes that serve: wanted by the configuration, ready, and those that answered for their metrics',
    labels: ['state'],
    across: 'first',
  })
  const crashes = registry.counter({
    name: 'worker_crashes_total',
    help: 'Workers that ended unasked, by exit code or signal',
    labels: ['how'],
  })
  const reloads = registry.counter({
    name: 'config_reloads_total',
    help: 'Changed configurations, by what became of them',
    labels: ['result'],
  })
  const reloadFailed = registry.gauge({
    name: 'config_reload_failed',
    help: '1 while the configuration on the disk is refused and an older one is in use',
    across: 'first',
  })
  reloadFailed({}, 0)
  const howLabel = bounded(MOST_ENDS)
  return {
    workerCrashed: (how) => crashes({ how: howLabel(how) }),
    workers: (count) => {
      for (const state of ['wanted', 'ready', 'answered'] as const) workers({ state }, count[state])
    },
    configReload: (result) => {
      reloadFailed({}, result === 'refused' ? 1 : 0)
      if (result !== 'restored') reloads({ result })
    },
    text: () => registry.text(),
  }
}
