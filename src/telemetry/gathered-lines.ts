import type { LogDestination } from './logger.js'

/**
 * What a pipe takes in one piece (PIPE_BUF of Linux, pipe(7)): more than that at once, and the lines of several workers on
 * one standard output could be torn by each other.
 */
const MOST_BYTES = 4096

/**
 * Lines that may wait are written together at the end of this turn of the event loop, a few of them in one write(2); others
 * at once, behind those that wait. What waits is written when the process ends by itself, by process.exit or by an exception.
 *
 * @param to writes before it returns
 */
export function gatherLines(to: LogDestination): LogDestination {
  let waiting = ''
  let bytes = 0
  let scheduled = false
  const flush = () => {
    if (bytes === 0) return
    const text = waiting
    waiting = ''
    bytes = 0
    to.write(text)
  }
  const atEndOfTurn = () => {
    scheduled = false
    flush()
  }
  /** `text` is a line without its newline: one piece of memory, whose bytes are soon counted. */
  const add = (text: string) => {
    const size = Buffer.byteLength(text) + 1
    if (bytes + size > MOST_BYTES) flush()
    waiting += `${text}\n`
    bytes += size
  }
  process.on('exit', () => {
    try {
      flush()
    } catch {
      // There is nobody left to tell.
    }
  })
  return {
    write: (line) => {
      add(line.slice(0, -1))
      flush()
    },
    gather: (text) => {
      add(text)
      if (scheduled) return
      scheduled = true
      setImmediate(atEndOfTurn)
    },
  }
}
