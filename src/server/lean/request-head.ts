import { METHODS } from 'node:http'
import { codeTable } from '../../http1/code-table.js'
import { contentLength } from '../../http1/content-length.js'
import { type FieldLines, readFields } from '../../http1/fields.js'
import type { Lines } from '../../http1/lines.js'
import { Malformed } from '../../http1/malformed.js'

/*
 * The head of a request, and what it says of the body behind it: RFC 9112 sections 3, 5 and 6; RFC 9110 section 10.1.1.
 */

export interface RequestHead {
  readonly method: string
  /** The request-target as sent. */
  readonly target: string
  /** Byte strings (latin1). In which case a client wrote the names, nobody needs to know. */
  readonly fieldLines: FieldLines
  readonly version: '1.0' | '1.1'
  /** How the body ends: its length in bytes, 0 where there is none, or chunks. */
  readonly framing: number | 'chunked'
  /** Whether the client would send another request on this connection. */
  readonly keepsAlive: boolean
  /** Where there is a body: whether the client waits for 100 Continue, or for something unheard of. */
  readonly expects: 'nothing' | 'continue' | 'unknown'
}

const KNOWN: ReadonlySet<string> = new Set(METHODS)
const IN_TARGET = codeTable(/[\x21-\x7e]/)
/** origin-form, asterisk-form (of OPTIONS *) and absolute-form: RFC 9112 section 3.2. */
const FORM = /^(?:\/|\*$|https?:\/\/[0-9a-z.\-_~:[\]]+(?:[/?]|$))/i

/**
 * @param lines of a head, without the empty one behind them; one empty line before them is let pass
 * @throws Malformed
 */
export function parseRequestHead(lines: Lines): RequestHead {
  const { bytes, from, text } = lines
  const begin = text.startsWith('\r\n') ? 2 : 0
  const method = methodAt(text, begin)
  const last = from + text.length
  const targetAt = begin + method.length + 1
  let at = from + targetAt
  while (at < last && IN_TARGET[bytes[at] as number] === 1) at += 1
  const end = at - from
  const target = text.slice(targetAt, end)
  if (target.charCodeAt(0) !== SLASH && !(method === 'CONNECT' || FORM.test(target))) {
    throw new Malformed('the request target')
  }
  const version = versionAt(text, end)
  return judge(method, target, readFields(lines, end + VERSION_LENGTH), version)
}

/** The usual ones are told without a string of their own. */
function methodAt(text: string, begin: number): string {
  if (text.startsWith('GET ', begin)) return 'GET'
  if (text.startsWith('PUT ', begin)) return 'PUT'
  if (text.startsWith('HEAD ', begin)) return 'HEAD'
  const method = text.slice(begin, Math.max(begin, text.indexOf(' ', begin)))
  if (!KNOWN.has(method)) throw new Malformed('the method')
  return method
}

const SLASH = 0x2f
const VERSION_LENGTH = ' HTTP/1.1\r\n'.length

function versionAt(text: string, offset: number): '1.0' | '1.1' {
  if (text.startsWith(' HTTP/1.1\r\n', offset)) return '1.1'
  if (text.startsWith(' HTTP/1.0\r\n', offset)) return '1.0'
  throw new Malformed(/^ HTTP\/\d\.\d\r\n/.test(text.slice(offset)) ? 'HTTP version not supported' : 'the request line')
}

/** What the fields say of where the request ends and of what becomes of its connection. */
function judge(method: string, target: string, fieldLines: FieldLines, version: RequestHead['version']): RequestHead {
  let hosts = 0
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let expect: string | undefined
  for (let i = 0; i < fieldLines.length; i += 2) {
    const name = fieldLines[i] as string
    const value = fieldLines[i + 1] as string
    switch (name) {
      case 'host':
        hosts += 1
        break
      case 'expect':
        expect = expect === undefined ? value : `${expect}, ${value}`
        break
      case 'connection':
        connection = connection === '' ? value : `${connection},${value}`
        break
      case 'content-length':
        if (length !== undefined) throw new Malformed('more than one Content-Length')
        length = value
        break
      case 'transfer-encoding':
        if (coding !== undefined) throw new Malformed('Transfer-Encoding is not chunked')
        coding = value
        break
    }
  }
  if (hosts > 1) throw new Malformed('more than one Host')
  if (hosts === 0 && version === '1.1') throw new Malformed('no Host')
  const framing = framingOf(length, coding, version)
  return {
    method,
    target,
    fieldLines,
    version,
    framing,
    keepsAlive: keepsAlive(connection, version),
    expects: expect === undefined || version === '1.0' ? 'nothing' : expectation(expect, framing),
  }
}

function framingOf(
  length: string | undefined,
  coding: string | undefined,
  version: RequestHead['version'],
): RequestHead['framing'] {
  if (coding !== undefined) {
    if (length !== undefined) throw new Malformed('both Content-Length and Transfer-Encoding')
    if (coding !== 'chunked' && coding.toLowerCase() !== 'chunked')
      throw new Malformed('Transfer-Encoding is not chunked')
    if (version === '1.0') throw new Malformed('Transfer-Encoding in HTTP/1.0')
    return 'chunked'
  }
  if (length === undefined) return 0
  const bytes = contentLength(length)
  if (bytes === 'malformed') throw new Malformed('Content-Length is not a number')
  return bytes
}

function keepsAlive(connection: string, version: RequestHead['version']): boolean {
  if (connection === '' || connection === 'keep-alive') return version === '1.1' || connection !== ''
  // Not split by a pattern with blanks around the comma: over a long run of blanks that takes a second.
  const options = connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'))
}

/** Without a body there is nothing to wait with. */
function expectation(expect: string, framing: RequestHead['framing']): RequestHead['expects'] {
  if (expect.toLowerCase() !== '100-continue') return 'unknown'
  return framing === 0 ? 'nothing' : 'continue'
}
