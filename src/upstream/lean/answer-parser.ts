import { AnswerFault, NOT_IN_VALUE, parseField, parseHead, type AnswerHead } from './answer-head.js'

/*
 * One answer of HTTP/1.1, from the bytes of a connection. Strict where RFC 9112 protects: what could be read in two ways is an
 * error, because two readers that disagree about where an answer ends hand one client's object to another.
 *
 * See https://www.rfc-editor.org/rfc/rfc9112 sections 2.2, 4, 5, 6, 7.1; https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */

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
/** Interim answers before the final one. */
const MAX_INTERIM = 8
/** Of a chunk's size and its extensions. */
const MAX_CHUNK_LINE = 512
const MAX_TRAILER = 8 * 1024

const CRLF2 = Buffer.from('\r\n\r\n', 'latin1')
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
