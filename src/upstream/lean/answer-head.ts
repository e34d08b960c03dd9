import { NOT_IN_VALUE, TOKEN } from '../../http1/fields.js'

/*
 * The head of an answer, and what it says of the body behind it: RFC 9112 sections 4, 5 and 6.
 */

/** The bytes are no answer, or one that could be read in two ways. The message quotes nothing of them. */
export class AnswerFault extends Error {
  readonly code = 'ERR_HTTP_ANSWER'
  constructor(what: string) {
    super(`the upstream's answer is malformed: ${what}`)
    this.name = 'AnswerFault'
  }
}

export interface AnswerHead {
  readonly status: number
  /** Lower-case names and values without white space around them, repeated ones joined; byte strings (latin1). */
  readonly fields: Map<string, string>
  /**
   * What ends the body. `none`: there is none. `close`: the connection, and nobody knows whether it was cut off.
   * Otherwise its length in bytes, or chunks.
   */
  readonly framing: number | 'none' | 'chunked' | 'close'
  /** For how many seconds the connection may wait for another request, as far as the upstream says; Infinity else, 0: not at all. */
  readonly keepAliveSeconds: number
}

/** As many as node takes; an object's metadata may be hundreds. */
const MAX_FIELDS = 2000
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/

/** The lines of a head, without the empty one behind them. @throws AnswerFault */
export function parseHead(text: string, method: string): AnswerHead {
  let end = text.indexOf('\r\n')
  if (end < 0) end = text.length
  const [, minor, digits] = STATUS_LINE.exec(text.slice(0, end)) ?? []
  if (digits === undefined) throw new AnswerFault('its status line')
  const fields = new Map<string, string>()
  for (let count = 1; end < text.length; count += 1) {
    if (count > MAX_FIELDS) throw new AnswerFault('it has too many headers')
    const start = end + 2
    end = text.indexOf('\r\n', start)
    if (end < 0) end = text.length
    const { name, value } = parseField(text, start, end)
    const before = fields.get(name)
    if (before !== undefined && DECISIVE.has(name)) throw new AnswerFault(`it has two ${name}`)
    fields.set(name, before === undefined ? value : `${before},${value}`)
  }
  const status = Number(digits)
  return {
    status,
    fields,
    framing: framingOf(status, method, fields, minor === '1'),
    keepAliveSeconds: keepAliveOf(fields, minor === '1'),
  }
}

/** Decide where an answer ends and what comes of its connection: two of one of them is one too many. */
const DECISIVE: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'keep-alive'])

/** `name: value` in `text` from `start` to `end`, and no line that goes on in the next one. @throws AnswerFault */
function parseField(text: string, start: number, end: number): { readonly name: string; readonly value: string } {
  const colon = text.indexOf(':', start)
  const name = text.slice(start, colon < 0 || colon > end ? start : colon)
  if (!TOKEN.test(name)) throw new AnswerFault('the name of a header')
  let from = colon + 1
  let to = end
  while (from < to && isBlank(text.charCodeAt(from))) from += 1
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1
  const value = text.slice(from, to)
  if (NOT_IN_VALUE.test(value)) throw new AnswerFault('the value of a header')
  return { name: name.toLowerCase(), value }
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

function framingOf(
  status: number,
  method: string,
  fields: ReadonlyMap<string, string>,
  isOneOne: boolean,
): AnswerHead['framing'] {
  const coding = fields.get('transfer-encoding')
  const length = fields.get('content-length')
  if (coding !== undefined) {
    if (length !== undefined) throw new AnswerFault('it has both a length and a transfer coding')
    if (coding.toLowerCase() !== 'chunked' || !isOneOne) throw new AnswerFault('its transfer coding')
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new AnswerFault('its length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'close' : Number(length)
}

function keepAliveOf(fields: ReadonlyMap<string, string>, isOneOne: boolean): number {
  const connection = fields.get('connection')
  const limit = fields.get('keep-alive')
  if (connection === undefined && limit === undefined) return isOneOne ? Infinity : 0
  // Not split by a pattern with blanks around the comma: over a long run of blanks that takes a tenth of a second.
  const tokens = (connection ?? '')
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
  if (tokens.includes('close') || !(isOneOne || tokens.includes('keep-alive'))) return 0
  const [, seconds] = /(?:^|[,; \t])timeout=(\d{1,6})/.exec((limit ?? '').toLowerCase()) ?? []
  return seconds === undefined ? Infinity : Number(seconds)
}
