import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchTimes {
  /** From the first sign of a change to the look: two files are seldom replaced in one step. */
  readonly settleMs: number
  /** Between looks that need no sign. */
  readonly pollMs: number
}

/**
 * Calls `look` when files may have changed. Their folders are watched rather than they: files are replaced by renaming,
 * and Kubernetes swaps a link beside them. Where watching does not work (network file systems, no more watches to be
 * had, a folder that is itself replaced) the poll finds the change later.
 */
export function watchFiles(files: readonly string[], look: () => void, times: WatchTimes): { close(): void } {
  let settling: NodeJS.Timeout | undefined
  const seen = () => {
    // The first sign starts the clock and later ones do not move it: a busy folder must not put the look off for ever.
    settling ??= setTimeout(() => {
      settling = undefined
      look()
    }, times.settleMs).unref()
  }
  const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((folder) => watcherOf(folder, seen))
  const poll = setInterval(look, times.pollMs).unref()
  return {
    close() {
      clearTimeout(settling)
      clearInterval(poll)
      for (const watcher of watchers) watcher.close()
    },
  }
}

function watcherOf(folder: string, seen: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, seen)
    watcher.on('error', () => watcher.close())
    return [watcher]
  } catch {
    return []
  }
}
