import { setFlagsFromString } from 'node:v8'

/** Milliseconds: eleven days. The flag's type ends at twenty-four. */
const NEVER = 1_000_000_000

/**
 * Keeps V8 from marking the whole heap for nothing (ADR 11). May be called at any time; V8 looks at these flags again and again.
 *
 * - In a process that does nothing for eight seconds it marks twice, to give memory back. No request is under way then, so the hidden
 *   classes of requests die, and with them the code that was compiled for them: three hundred functions, and the next tens of thousands
 *   of requests cost a third more. It can be told from Node 26 on; older ones know `--no-memory-reducer`, on node's command line only.
 * - After each mark it lets a heap of 20 MiB grow by a half, and counts buffers into that: under large bodies that is over at once,
 *   and it marked up to thirty times a second. Now the heap may grow to three times of what lives in it.
 */
export function setHeapFlags(): void {
  if (Number.parseInt(process.versions.node, 10) >= 26) setFlagsFromString(`--memory-reducer-delay-ms=${NEVER}`)
  setFlagsFromString('--heap-growing-percent=200')
}
