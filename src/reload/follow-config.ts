import type { ConfigSource, ReadConfig } from '../config-source.js'
import { type WatchTimes, watchFiles } from '../server/watch-files.js'
import type { Config } from '../config/types.js'
import type { Logger } from '../telemetry/logger.js'
import type { Prepared } from './prepared.js'
import type { Texts } from '../config/texts.js'
import { formatProblem } from '../config/load.js'
import { needRestart } from '../config/compare.js'

export type ConfigReload = 'accepted' | 'refused' | 'restored'

export interface FollowConfigOptions {
  readonly source: ConfigSource
  /** What the program was started with. */
  readonly config: Config
  readonly seen: ReadConfig['seen']
  readonly times: WatchTimes
  readonly log: Logger
  /** Makes a configuration ready wherever it is used, and takes it into use nowhere yet. */
  readonly prepare: (config: Config, texts: Texts) => Promise<Prepared>
  readonly onReload: (result: ConfigReload) => void
}

export interface FollowedConfig {
  /** Looks now (SIGHUP), and says in the log what it found. */
  readonly reload: () => Promise<void>
  readonly close: () => void
}

/**
 * Keeps the configuration in use as its file and the files of its secrets are: wholly, or not at all. What is broken, or
 * what cannot change without a restart, is refused and told, and everything stays as it was.
 */
export function followConfig(options: FollowConfigOptions): FollowedConfig {
  const { source, log, onReload } = options
  let inUse = { config: options.config, seen: options.seen }
  let lastSeen = options.seen
  let refusal: readonly string[] = []
  let isClosed = false

  const refuse = (problems: readonly string[]) => {
    refusal = problems
    log.error({ problems }, 'new configuration refused, the old one stays in use')
    onReload('refused')
  }
  const look = async (asked: boolean) => {
    // What was refused is looked at anew when somebody asks: a keyring file, or KMS, may have been in the way.
    if (source.same(lastSeen) && !(asked && refusal.length > 0)) {
      if (asked) log.info({}, 'configuration unchanged')
      return
    }
    const { result, seen } = source.read()
    lastSeen = seen
    if (sameTexts(seen, inUse.seen)) {
      if (refusal.length > 0) {
        log.info({}, 'configuration is again the one in use')
        onReload('restored')
      }
      refusal = []
      return
    }
    if (result.type === 'problems') {
      refuse(result.problems.map(formatProblem))
      return
    }
    const fixed = needRestart(inUse.config, result.config)
    if (fixed.length > 0) {
      refuse(fixed.map((path) => `${path}: cannot change without a restart`))
      return
    }
    const prepared = await options.prepare(result.config, textsOf(seen))
    if (isClosed) return
    if (prepared.type === 'refused') {
      refuse(prepared.problems)
      return
    }
    prepared.commit()
    inUse = { config: result.config, seen }
    refusal = []
    watcher.close()
    watcher = watch()
    const { identities, rules, keyrings } = result.config
    const about = { identities: identities.length, rules: rules.length, keyrings: keyrings.length }
    log.info({ ...about, level: result.config.log.level }, 'new configuration in use')
    onReload('accepted')
  }

  let last = Promise.resolve()
  let waiting: { asked: boolean } | 'none' = 'none'
  const next = (asked: boolean): Promise<void> => {
    // One after the other, and one that has not begun sees all that a further one could.
    if (waiting !== 'none') {
      waiting.asked ||= asked
      return last
    }
    const one = { asked }
    waiting = one
    last = last
      .then(() => {
        waiting = 'none'
        return isClosed ? undefined : look(one.asked)
      })
      .catch((err: unknown) => log.error({ err }, 'the configuration could not be looked at'))
    return last
  }
  const watch = () => watchFiles([...inUse.seen.keys()], () => void next(false), options.times)
  let watcher = watch()
  return {
    reload: () => next(true),
    close: () => {
      isClosed = true
      watcher.close()
    },
  }
}

function sameTexts(a: ReadConfig['seen'], b: ReadConfig['seen']): boolean {
  return a.size === b.size && [...a].every(([path, text]) => b.get(path) === text)
}

/** Of a configuration without problems: each file of it was read. */
export const textsOf = (seen: ReadConfig['seen']): Texts => new Map(seen)
