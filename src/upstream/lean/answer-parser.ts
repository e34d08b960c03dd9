/*
 * One answer of HTTP/1.1, from the bytes of a connection. Strict where RFC 9112 protects: what could be read in two ways is an
 * error, because two readers that disagree about where an answer ends hand one client's object to another.
 *
 * See https://www.rfc-editor.org/rfc/rfc9112 sections 2.2, 4, 5, 6, 7.1; https://www.rfc-editor.org/rfc/rfc9110#section-15.2
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

export interface AnswerSink {
  /** Called once, with the final head; interim ones (1xx) are passed over. */
  readonly head: (head: AnswerHead) => void
  /** A piece of the body, in place: valid for as long as the buffer that was given. */
  readonly body: (piece: Buffer) => void
  /**
   * The answer is whole. `followed`: by bytes that nobody asked for, a body of an answer to HEAD say. They belong to no
   * request, and the connection must not see another one.
   */
  readonly end: (how: 'clean' | 'followed') => void
}

export interface AnswerParser {
  /** @throws AnswerFault; nothing of this answer may be believed then, and the connection must go */
  readonly execute: (bytes: Buffer) => void
  /** The connection ended here: `whole` where that is how the answer ends, or it had ended before. */
  readonly finish: () => 'whole' | 'cut'
}

/** Bytes of a head, all lines of it, as in node; S3's metadata are 2 KiB. */
const MAX_HEAD = 16 * 1024
const MAX_FIELDS = 256
/** Interim answers before the final one. */
const MAX_INTERIM = 8
/** Of a chunk's size and its extensions. */
const MAX_CHUNK_LINE = 512
const MAX_TRAILER = 8 * 1024

const CRLF2 = Buffer.from('\r\n\r\n', 'latin1')
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/

type State = 'head' | 'length' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'close' | 'done'

/** @param method of the request: the answer to a HEAD has no body, whatever it says */
export function answerParser(method: string, sink: AnswerSink): AnswerParser {
  let state: State = 'head'
  let held: Buffer | 'none' = 'none'
  let left = 0
  let line = ''
  let trailer = 0
  let interim = 0

  const isDone = (): boolean => state === 'done'
  const finishMessage = (): void => {
    state = 'done'
  }

  /** @returns the offset behind the head, or `more` */
  const readHead = (bytes: Buffer, offset: number): number | 'more' => {
    const before = held === 'none' ? 0 : held.length
    const all =
      held === 'none' ? (offset === 0 ? bytes : bytes.subarray(offset)) : Buffer.concat([held, bytes.subarray(offset)])
    const end = all.indexOf(CRLF2, Math.max(0, before - 3))
    if (end < 0) {
      if (all.length > MAX_HEAD) throw new AnswerFault('its head is too long')
      // what cannot become a status line is told at once, and not when the connection falls silent
      if (!'HTTP/1.'.startsWith(all.toString('latin1', 0, 7))) throw new AnswerFault('it is no HTTP/1.1')
      held = Buffer.from(all)
      return 'more'
    }
    if (end > MAX_HEAD) throw new AnswerFault('its head is too long')
    held = 'none'
    const head = parseHead(all.toString('latin1', 0, end), method)
    const next = offset + (end + CRLF2.length - before)
    if (head.status < 200) {
      if (head.status === 101) throw new AnswerFault('it switches to another protocol')
      if ((interim += 1) > MAX_INTERIM) throw new AnswerFault('it has too many interim answers')
      return next
    }
    sink.head(head)
    begin(head.framing)
    return next
  }

  const begin = (framing: AnswerHead['framing']): void => {
    if (framing === 'none' || framing === 0) finishMessage()
    else if (framing === 'chunked') state = 'chunk-line'
    else if (framing === 'close') state = 'close'
    else {
      state = 'length'
      left = framing
    }
  }

  /** Bytes of a body whose end is known. */
  const readBody = (bytes: Buffer, offset: number): number => {
    const end = Math.min(bytes.length, offset + left)
    left -= end - offset
    sink.body(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end))
    if (left > 0) return end
    if (state === 'length') finishMessage()
    else state = 'chunk-end'
    return end
  }

  /** A line up to its CRLF, across pieces; `more` where it is not whole. */
  const readLine = (
    bytes: Buffer,
    offset: number,
    longest: number,
  ): { readonly text: string; readonly next: number } | 'more' => {
    const end = bytes.indexOf(0x0a, offset)
    line += bytes.toString('latin1', offset, end < 0 ? bytes.length : end + 1)
    if (line.length > longest) throw new AnswerFault('a line in its body is too long')
    if (end < 0) return 'more'
    const text = line
    line = ''
    if (!text.endsWith('\r\n')) throw new AnswerFault('a line in its body ends without CR')
    return { text: text.slice(0, -2), next: end + 1 }
  }

  const readChunkLine = (text: string): void => {
    const [, size = '', extension = ''] = /^([0-9A-Fa-f]{1,12})(.*)$/s.exec(text) ?? []
    if (size === '' || !/^(?:[ \t]*;|$)/.test(extension) || NOT_IN_VALUE.test(extension))
      throw new AnswerFault('the size of a chunk')
    left = Number.parseInt(size, 16)
    state = left === 0 ? 'trailer' : 'chunk'
  }

  const step = (bytes: Buffer, offset: number): number | 'more' => {
    switch (state) {
      case 'head':
        return readHead(bytes, offset)
      case 'length':
      case 'chunk':
        return readBody(bytes, offset)
      case 'close':
        sink.body(offset === 0 ? bytes : bytes.subarray(offset))
        return bytes.length
      case 'chunk-line': {
        const read = readLine(bytes, offset, MAX_CHUNK_LINE)
        if (read === 'more') return 'more'
        readChunkLine(read.text)
        return read.next
      }
      case 'chunk-end': {
        const read = readLine(bytes, offset, 2)
        if (read === 'more') return 'more'
        if (read.text !== '') throw new AnswerFault('a chunk is longer than its size')
        state = 'chunk-line'
        return read.next
      }
      case 'trailer': {
        const read = readLine(bytes, offset, MAX_TRAILER)
        if (read === 'more') return 'more'
        trailer += read.text.length
        if (trailer > MAX_TRAILER) throw new AnswerFault('its trailer is too long')
        if (read.text === '') finishMessage()
        else parseField(read.text)
        return read.next
      }
      case 'done':
        return 'more'
    }
  }

  return {
    execute: (bytes) => {
      let offset = 0
      if (state === 'done') throw new AnswerFault('something follows it that was not asked for')
      while (offset < bytes.length && !isDone()) {
        const next = step(bytes, offset)
        if (next === 'more') return
        offset = next
      }
      if (isDone()) sink.end(offset < bytes.length ? 'followed' : 'clean')
    },
    finish: () => {
      if (state === 'close') {
        state = 'done'
        sink.end('clean')
      }
      return state === 'done' ? 'whole' : 'cut'
    },
  }
}

function parseHead(text: string, method: string): AnswerHead {
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

/** `name: value`, and no line that goes on in the next one. */
function parseField(line: string): { readonly name: string; readonly value: string } {
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
