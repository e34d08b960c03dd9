import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes read between two collections: far below the 64 MiB of buffers at which V8 marks its whole heap. */
const BETWEEN = 16 * 1024 * 1024

/**
 * Frees read buffers while they are young. Node makes a buffer of its own for each 16 KiB that are read; they are dead as soon as they
 * were written on, but the few objects around them fill V8's young generation so slowly that it never looks there, and marks the
 * whole heap instead, each time their bytes come to 64 MiB. That took half of the CPU time of large bodies, and as many bytes of
 * memory. A collection of the young generation takes less than a millisecond.
 *
 * @returns to be told of each piece that is read
 */
export function youngBuffers(collect: () => void = youngCollection()): (bytes: number) => void {
  let since = 0
  let isDue = false
  const collectNow = (): void => {
    isDue = false
    since = 0
    collect()
  }
  return (bytes) => {
    since += bytes
    if (since < BETWEEN || isDue) return
    isDue = true
    // Not among the reads of this turn, whose buffers are still in use.
    setImmediate(collectNow)
  }
}

/** V8's collector of the young generation, which node shows only behind a flag; nothing where it cannot be had. */
function youngCollection(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  if (typeof collect !== 'function') return () => undefined
  const young = collect as (options: { readonly type: 'minor' }) => void
  return () => {
    young({ type: 'minor' })
  }
}
