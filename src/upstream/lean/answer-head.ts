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
  /** Names as sent and values without white space around them, in turns; byte strings (latin1). */
  readonly rawHeaders: readonly string[]
  /**
   * What ends the body. `none`: there is none. `close`: the connection, and nobody knows whether it was cut off.
   * Otherwise its length in bytes, or chunks.
   */
  readonly framing: number | 'none' | 'chunked' | 'close'
  /** Whether the connection may serve another request, and for how many seconds as far as the upstream says; Infinity else. */
  readonly keepAlive: { readonly type: 'no' } | { readonly type: 'yes'; readonly seconds: number }
}

const MAX_FIELDS = 256
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
export const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** The lines of a head, without the empty one behind them. @throws AnswerFault */
export function parseHead(text: string, method: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n')
  const [, minor, digits] = STATUS_LINE.exec(first) ?? []
  if (digits === undefined) throw new AnswerFault('its status line')
  if (lines.length > MAX_FIELDS) throw new AnswerFault('it has too many headers')
  const status = Number(digits)
  const rawHeaders: string[] = []
  const special = new Map<string, string>()
  for (const one of lines) {
    const { name, value } = parseField(one)
    rawHeaders.push(name, value)
    const key = SPECIAL.get(name.length)?.find((known) => known === name.toLowerCase())
    if (key === undefined) continue
    const before = special.get(key)
    if (before !== undefined && key !== 'connection') throw new AnswerFault(`it has two ${key}`)
    special.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  return {
    status,
    rawHeaders,
    framing: framingOf(status, method, special, minor === '1'),
    keepAlive: keepAliveOf(special, minor === '1'),
  }
}

/** Headers that decide where an answer ends and what comes of its connection, by the length of their names. */
const SPECIAL: ReadonlyMap<number, readonly string[]> = new Map([
  [14, ['content-length']],
  [17, ['transfer-encoding']],
  [10, ['connection', 'keep-alive']],
])

/** `name: value`, and no line that goes on in the next one. @throws AnswerFault */
export function parseField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon))
  if (!TOKEN.test(name)) throw new AnswerFault('the name of a header')
  let start = colon + 1
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start += 1
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1
  const value = line.slice(start, end)
  if (NOT_IN_VALUE.test(value)) throw new AnswerFault('the value of a header')
  return { name, value }
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

function framingOf(
  status: number,
  method: string,
  special: ReadonlyMap<string, string>,
  isOneOne: boolean,
): AnswerHead['framing'] {
  const coding = special.get('transfer-encoding')
  const length = special.get('content-length')
  if (coding !== undefined) {
    if (length !== undefined) throw new AnswerFault('it has both a length and a transfer coding')
    if (coding.toLowerCase() !== 'chunked' || !isOneOne) throw new AnswerFault('its transfer coding')
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new AnswerFault('its length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'close' : Number(length)
}

function keepAliveOf(special: ReadonlyMap<string, string>, isOneOne: boolean): AnswerHead['keepAlive'] {
  const tokens = (special.get('connection') ?? '').toLowerCase().split(/[ \t]*,[ \t]*/)
  if (tokens.includes('close') || !(isOneOne || tokens.includes('keep-alive'))) return { type: 'no' }
  const [, seconds] = /(?:^|[,; \t])timeout=(\d{1,6})/.exec((special.get('keep-alive') ?? '').toLowerCase()) ?? []
  return { type: 'yes', seconds: seconds === undefined ? Infinity : Number(seconds) }
}
