import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './root.js'

/** What a process says of itself after a garbage collection; sizes in bytes. */
export interface Seen {
  readonly heapUsed: number
  /** Of buffers and other memory that belongs to objects of the heap. */
  readonly external: number
  readonly rss: number
  /** What would keep the process alive, by node's names. */
  readonly handles: Readonly<Record<string, number>>
}

/** Arguments of node, for a process that is started with an IPC channel. */
export const PROBE_ARGUMENTS: readonly string[] = ['--expose-gc', '--import', join(ROOT, 'bench/process-probe.mjs')]

/** Asks such a process. @throws Error where it says nothing in ten seconds */
export function lookInto(child: ChildProcess): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a process did not say how much memory it has')), 10_000)
    const hear = (message: unknown): void => {
      if ((message as { type?: string }).type !== 'ssec-proxy/seen') return
      clearTimeout(timer)
      child.off('message', hear)
      resolve(message as Seen)
    }
    child.on('message', hear)
    child.send('ssec-proxy/look')
  })
}
