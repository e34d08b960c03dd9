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
  /** `size` is the bytes of the line. */
  const add = (line: string, size: number) => {
    if (bytes + size > MOST_BYTES) flush()
    waiting += line
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
      add(line, Buffer.byteLength(line))
      flush()
    },
    gather: (text, size) => {
      add(`${text}\n`, size + 1)
      if (scheduled) return
      scheduled = true
      setImmediate(atEndOfTurn)
    },
  }
}
