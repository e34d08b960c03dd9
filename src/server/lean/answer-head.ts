import { STATUS_CODES } from 'node:http'
import { NOT_IN_VALUE } from '../../http1/fields.js'
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
const isSendable = keptNames((name) => NAME.test(name) && !RESERVED.has(name))

/** @throws Error where a header could not be sent as it is: a line end in it would begin another header, or another answer */
export function answerHead(status: number, headers: ReadonlyMap<string, string>): AnswerHead {
  let text = statusLine(status)
  let values = ''
  let length: number | 'unknown' = 'unknown'
  let hasDate = false
  for (const [name, value] of headers) {
    if (!isSendable(name)) throw new Error('a header of this name cannot be sent')
    if (name === 'content-length') length = lengthOf(value)
    else if (name === 'date') hasDate = true
    values += value
    text += `${name}: ${value}\r\n`
  }
  if (NOT_IN_VALUE.test(values)) throw new Error('a header cannot be sent as it is')
  if (!hasDate) text += dateLine()
  return { status, text, length }
}

function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new Error('content-length is not a number')
  return Number(value)
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
