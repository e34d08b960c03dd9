import { setFlagsFromString } from 'node:v8'

/** Milliseconds: eleven days. The flag's type ends at twenty-four. */
const NEVER = 1_000_000_000

/**
 * Keeps V8's collector from work that wins nothing here (ADR 11). May be called at any time: V8 looks at these flags again and again.
 *
 * - In a process that does nothing for eight seconds it marks the whole heap, twice, to give memory back. No request is under way then,
 *   so the hidden classes of requests die, and with them the code that was compiled for them: three hundred functions, and the next
 *   tens of thousands of requests cost a third more. It can be told from Node 26 on; older ones take `--no-memory-reducer`, on node's
 *   command line only.
 * - After each mark it lets a heap of 20 MiB grow by a half, and counts buffers into that: under large bodies that is over at once,
 *   and it marked up to thirty times a second. Now the heap may grow to three times of what lives in it.
 * - What a request makes lives as long as the request. Where large bodies keep some alive over two collections of the young generation, V8
 *   takes all that is made at these places for long-lived, makes it in the old generation from then on, dead or not, with all that
 *   it names; small requests that come later cost a third more.
 * - Collections of the young generation find next to nothing alive. Helper threads for them cost more than they do.
 */
export function setV8Flags(): void {
  if (Number.parseInt(process.versions.node, 10) >= 26) setFlagsFromString(`--memory-reducer-delay-ms=${NEVER}`)
  setFlagsFromString('--heap-growing-percent=200')
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--no-parallel-scavenge')
}
