import { contentLength } from '../../http1/content-length.js'
import { FieldList } from '../../http1/field-list.js'
import { type FieldLines, readFields } from '../../http1/fields.js'
import { Malformed } from '../../http1/malformed.js'
import type { Lines } from '../../http1/lines.js'
import { type Fields, foldFields } from '../../s3/fields.js'
import { flatText } from '../../s3/flat-text.js'

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
  readonly fields: Fields
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

/** @param lines of a head, without the empty one behind them. @throws AnswerFault */
export function parseHead(lines: Lines, method: string): AnswerHead {
  const { status, isOneOne, length } = statusOf(lines.text)
  const raw = fieldLines(lines, length)
  if (raw.length > 2 * MAX_FIELDS) throw new AnswerFault('it has too many headers')
  const list = FieldList.of(raw)
  const fields = list === 'repeated' ? foldFields(raw, refuseDecisive) : list
  return {
    status,
    fields,
    framing: framingOf(status, method, fields, isOneOne),
    keepAliveSeconds: keepAliveOf(fields, isOneOne),
  }
}

interface StatusLine {
  readonly status: number
  readonly isOneOne: boolean
  /** Of the line, with its CRLF. */
  readonly length: number
}

function statusOf(text: string): StatusLine {
  // Most are this one, and to begin a regular expression takes longer than to compare it.
  if (text.startsWith(OK_LINE)) return OK
  const end = text.indexOf('\r\n')
  const [, minor, digits] = STATUS_LINE.exec(text.slice(0, end)) ?? []
  if (digits === undefined) throw new AnswerFault('its status line')
  return { status: Number(digits), isOneOne: minor === '1', length: end + 2 }
}

const OK_LINE = 'HTTP/1.1 200 OK\r\n'
const OK: StatusLine = { status: 200, isOneOne: true, length: OK_LINE.length }

function fieldLines(lines: Lines, offset: number): FieldLines {
  try {
    return readFields(lines, offset)
  } catch (cause) {
    throw cause instanceof Malformed ? new AnswerFault(cause.message) : cause
  }
}

/** Decide where an answer ends and what comes of its connection: two of one of them is one too many. */
const DECISIVE: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'keep-alive'])

function refuseDecisive(name: string): void {
  if (DECISIVE.has(name)) throw new AnswerFault(`it has two ${name}`)
}

function framingOf(status: number, method: string, fields: Fields, isOneOne: boolean): AnswerHead['framing'] {
  const coding = fields.get('transfer-encoding')
  const stated = fields.get('content-length')
  if (coding !== undefined) {
    if (stated !== undefined) throw new AnswerFault('it has both a length and a transfer coding')
    if (coding.toLowerCase() !== 'chunked' || !isOneOne) throw new AnswerFault('its transfer coding')
  }
  const length = stated === undefined ? 'close' : contentLength(stated)
  if (length === 'malformed') throw new AnswerFault('its length')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  return coding === undefined ? length : 'chunked'
}

function keepAliveOf(fields: Fields, isOneOne: boolean): number {
  const connection = fields.get('connection')
  if (connection === undefined ? !isOneOne : connection !== 'keep-alive' && isLast(connection, isOneOne)) return 0
  const limit = fields.get('keep-alive')
  return limit === undefined ? Infinity : secondsIn(limit)
}

/** What a Connection says that is not just `keep-alive`. */
function isLast(connection: string, isOneOne: boolean): boolean {
  // Not split by a pattern with blanks around the comma: over a long run of blanks that takes a tenth of a second.
  const tokens = connection
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
  return tokens.includes('close') || !(isOneOne || tokens.includes('keep-alive'))
}

/** Most stores say the same each time. */
let last = { limit: '', seconds: Infinity }

function secondsIn(limit: string): number {
  if (limit !== last.limit) {
    const [, seconds] = /(?:^|[,; \t])timeout=(\d{1,6})/.exec(limit.toLowerCase()) ?? []
    last = { limit: flatText(limit), seconds: seconds === undefined ? Infinity : Number(seconds) }
  }
  return last.seconds
}
