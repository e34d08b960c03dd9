import { Lines } from '../../src/http1/lines.js'

/** In the midst of other bytes, as lines come from a connection. */
export function linesOf(text: string): Lines {
  const before = 'Zz:\r\n'
  return new Lines(Buffer.from(`${before}${text}a: b\r\n`, 'latin1'), before.length, before.length + text.length)
}
