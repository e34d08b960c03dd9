import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

export type Locked =
  { readonly type: 'locked'; readonly release: () => void } | { readonly type: 'held'; readonly reason: string }

/**
 * Keeps a second run off a file, with a lock file beside it that holds this process's id. One whose process is gone
 * (killed) is taken over.
 */
export function lockFile(file: string, pid: number, isAlive: (pid: number) => boolean): Locked {
  const lock = `${file}.lock`
  for (const isRetry of [false, true]) {
    try {
      const descriptor = openSync(lock, 'wx', 0o600)
      writeSync(descriptor, String(pid))
      closeSync(descriptor)
      return { type: 'locked', release: () => rmSync(lock, { force: true }) }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      if (error.code !== 'EEXIST') return { type: 'held', reason: `${lock}: cannot be made (${String(error.code)})` }
      const holder = Number(readFileSync(lock, 'utf8'))
      if (isRetry || isAlive(holder)) break
      rmSync(lock, { force: true })
    }
  }
  return { type: 'held', reason: `${lock}: another run uses this journal; if it is gone, remove this file` }
}
