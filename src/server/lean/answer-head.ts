import { STATUS_CODES } from 'node:http'
import { contentLength } from '../../http1/content-length.js'
import { FieldList } from '../../http1/field-list.js'
import { NOT_IN_VALUE } from '../../http1/fields.js'
import type { FieldChanges } from '../../proxy/handler.js'
import type { Fields } from '../../s3/fields.js'
import { flatText } from '../../s3/flat-text.js'
import { keptNames } from '../../s3/kept-names.js'

/** The head of an answer, but for what the connection adds. */
export interface AnswerHead {
  readonly status: number
  /** Status line and fields, each with its CRLF; without the empty line. */
  readonly text: string
  /** Of content-length, in bytes. */
  readonly length: number | 'unknown'
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** What says where an answer ends, and what becomes of its connection, is not a handler's to say. */
const RESERVED: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer'])
/** The end of the line before and the beginning of this one, up to the value; `unsendable`. */
const lineBegin = keptNames((name) =>
  NAME.test(name) && !RESERVED.has(name) ? flatText(`\r\n${name}: `) : 'unsendable',
)
const UNCHANGED: FieldChanges = { drops: () => false, own: [] }

/**
 * Values are looked at here, all at once, but for those of a {@link FieldList}: its type says that it was done where they were read.
 *
 * @throws Error where a header could not be sent as it is: a line end in it would begin another header, or another answer
 */
export function answerHead(status: number, fields: Fields, changes: FieldChanges = UNCHANGED): AnswerHead {
  const { drops, own } = changes
  const isRead = fields instanceof FieldList
  const lines: readonly string[] = isRead ? fields.lines : [...fields].flat()
  const head = new HeadText(status)
  let unseen = ''
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string
    const other = ownValue(name, own)
    if (other === undefined && drops(name)) continue
    const value = other ?? lines[i + 1] ?? ''
    if (other !== undefined || !isRead) unseen += value
    head.add(name, value)
  }
  for (const [name, value] of own) {
    if (fields.has(name)) continue
    unseen += value
    head.add(name, value)
  }
  if (unseen !== '' && NOT_IN_VALUE.test(unseen)) throw new Error('a header cannot be sent as it is')
  return head.end()
}

function ownValue(name: string, own: FieldChanges['own']): string | undefined {
  for (let i = 0; i < own.length; i += 1) {
    const [one, value] = own[i] as FieldChanges['own'][number]
    if (one === name) return value
  }
  return undefined
}

class HeadText {
  readonly #status: number
  #text: string
  #length: AnswerHead['length'] = 'unknown'
  #hasDate = false

  constructor(status: number) {
    this.#status = status
    this.#text = statusLine(status).slice(0, -2)
  }

  add(name: string, value: string): void {
    const begin = lineBegin(name)
    if (begin === 'unsendable') throw new Error('a header of this name cannot be sent')
    if (name === 'content-length') this.#length = lengthOf(value)
    else if (name === 'date') this.#hasDate = true
    this.#text += begin + value
  }

  end(): AnswerHead {
    const text = this.#text + (this.#hasDate ? '\r\n' : `\r\n${dateLine()}`)
    return { status: this.#status, text, length: this.#length }
  }
}

function lengthOf(value: string): number {
  const length = contentLength(value)
  if (length === 'malformed') throw new Error('content-length is not a number')
  return length
}

const statusLines = new Map<number, string>()

export function statusLine(status: number): string {
  const known = statusLines.get(status)
  if (known !== undefined) return known
  if (!Number.isInteger(status) || status < 200 || status > 999) throw new Error('no status of a final answer')
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  statusLines.set(status, line)
  return line
}

let second = 0
let line = ''

/** Made once a second. */
export function dateLine(): string {
  const now = Date.now()
  const current = Math.floor(now / 1000)
  if (current !== second) {
    second = current
    line = `date: ${new Date(now).toUTCString()}\r\n`
  }
  return line
}
