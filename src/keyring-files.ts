import { type KeyringFileText, type OpenedFile, type OpenedKeyring, digestOf } from './keyring/create.js'
import type { KeyringConfig } from './config/types.js'
import type { Logger } from './telemetry/logger.js'
import { type WatchTimes, watchFiles } from './server/watch-files.js'
import { successionProblems } from './keyring/successor.js'

/** How keyring files are opened, at the start and whenever they have changed. */
export interface KeyringOpener {
  readonly read: (file: string) => KeyringFileText
  readonly open: (config: KeyringConfig, file: KeyringFileText) => OpenedFile | Promise<OpenedFile>
}

export interface FollowOptions {
  readonly opener: KeyringOpener
  readonly times: WatchTimes
  readonly log: Logger
  /** Hears of all keyrings when one or more of them were replaced. */
  readonly onChange: (opened: readonly OpenedKeyring[]) => void
  /** `refused`: the file on the disk is not the keyring in use, and stays refused until an `accepted` or `restored`. */
  readonly onReload: (keyring: string, result: ReloadResult) => void
}

export type ReloadResult = 'accepted' | 'refused' | 'restored'

export interface KeyringFiles {
  /** Looks at the files now (SIGHUP); says in the log what it found. */
  readonly reload: () => Promise<void>
  /** Stops watching them. */
  readonly close: () => void
}

interface Slot {
  current: OpenedKeyring
  /** Why the file on the disk is not the one in use; empty where it is. */
  refusal: string
}

/** A look that has not begun. */
interface Waiting {
  asked: boolean
  readonly done: Promise<void>
}

/**
 * Keeps keyrings as their files are. A file that is broken, or that cannot follow the one in use, is refused and told;
 * the keyring stays as it was. Files that changed together are taken together.
 */
export function followKeyringFiles(opened: readonly OpenedKeyring[], options: FollowOptions): KeyringFiles {
  const slots = opened.map((current): Slot => ({ current, refusal: '' }))
  let isClosed = false
  const look = async (asked: boolean) => {
    // At the same time: a keyring whose KMS is away must not hold up another one longer than it has to.
    const opening = await Promise.all(slots.map((slot) => openChanged(slot, options)))
    // What waited for KMS when the process was told to stop says nothing about the file.
    if (isClosed) return
    const taken = slots.map((slot, i) => take(slot, opening[i] ?? 'unchanged', asked, options))
    if (taken.includes(true)) options.onChange(slots.map(({ current }) => current))
  }
  let last = Promise.resolve()
  let waiting: Waiting | 'none' = 'none'
  const next = (asked: boolean): Promise<void> => {
    // One after the other: what a slow look read first must not replace what a later one read. And one that has not
    // begun will see all that a further one could: while KMS hangs, polls do not queue up.
    if (waiting !== 'none') {
      waiting.asked ||= asked
      return waiting.done
    }
    const one: Waiting = {
      asked,
      done: last
        .then(() => {
          waiting = 'none'
          return look(one.asked)
        })
        .catch((err: unknown) => {
          if (!isClosed) options.log.error({ err }, 'keyring files could not be looked at')
        }),
    }
    waiting = one
    last = one.done
    return last
  }
  const watcher = watchFiles(
    opened.map(({ config }) => config.file),
    () => void next(false),
    options.times,
  )
  const close = () => {
    isClosed = true
    watcher.close()
  }
  return { reload: () => next(true), close }
}

async function openChanged({ current }: Slot, { opener }: FollowOptions): Promise<OpenedFile | 'unchanged'> {
  const { config, digest } = current
  const file = opener.read(config.file)
  return file.type === 'text' && digestOf(file.text) === digest ? 'unchanged' : opener.open(config, file)
}

/** @returns whether the keyring was replaced */
function take(slot: Slot, result: OpenedFile | 'unchanged', asked: boolean, { log, onReload }: FollowOptions): boolean {
  const { config, contents } = slot.current
  const about = { keyring: config.name, file: config.file }
  if (result === 'unchanged') {
    if (slot.refusal !== '') {
      log.info(about, 'keyring file is again the one in use')
      onReload(config.name, 'restored')
    } else if (asked) log.info(about, 'keyring file unchanged')
    slot.refusal = ''
    return false
  }
  const problems =
    result.type === 'problems'
      ? result.problems.map(({ path, message }) => `${path} ${message}`)
      : successionProblems(contents, result.opened.contents).map(
          ({ path, message }) => `${config.file}: ${path} ${message}`,
        )
  if (result.type === 'problems' || problems.length > 0) {
    const refusal = problems.join('; ')
    // The poll comes back to the same fault again and again; it is told once.
    if (refusal === slot.refusal && !asked) return false
    slot.refusal = refusal
    log.error({ ...about, problems }, 'new keyring file refused, the old keyring stays in use')
    onReload(config.name, 'refused')
    return false
  }
  slot.current = result.opened
  slot.refusal = ''
  for (const { message } of result.warnings) log.warn({ ...about, reason: message }, 'keyring file')
  log.info({ ...about, ...told(result.opened) }, 'keyring in use')
  onReload(config.name, 'accepted')
  return true
}

/** Ids and states; of single objects their number, because what they are called is nobody's business. */
function told({ contents }: OpenedKeyring): object {
  if (contents.type === 'objects') return { objects: contents.objects.length }
  return {
    keyVersions: contents.versions.map((version) =>
      version.state === 'pending'
        ? { id: version.id, state: version.state, activateAt: version.activateAt }
        : { id: version.id, state: version.state },
    ),
    ...(contents.retired.length === 0 ? {} : { retired: contents.retired.map(({ id }) => id) }),
  }
}
