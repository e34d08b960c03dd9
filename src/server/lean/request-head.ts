import { METHODS } from 'node:http'
import { codeTable, readFields } from '../../http1/fields.js'
import { Malformed } from '../../http1/malformed.js'

/*
 * The head of a request, and what it says of the body behind it: RFC 9112 sections 3, 5 and 6; RFC 9110 section 10.1.1.
 */

export interface RequestHead {
  readonly method: string
  /** The request-target as sent. */
  readonly target: string
  /** Names as sent and values without white space around them, in turns; byte strings (latin1). */
  readonly rawHeaders: readonly string[]
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
 * @param lines of a head, each with its CRLF, without the empty one behind them; one empty line before them is let pass
 * @throws Malformed
 */
export function parseRequestHead(lines: string): RequestHead {
  const text = lines.startsWith('\r\n') ? lines.slice(2) : lines
  const space = text.indexOf(' ')
  const method = text.slice(0, Math.max(0, space))
  if (!KNOWN.has(method)) throw new Malformed('the method')
  let at = space + 1
  while (IN_TARGET[text.charCodeAt(at)] === 1) at += 1
  const target = text.slice(space + 1, at)
  if (target.charCodeAt(0) !== SLASH && !(method === 'CONNECT' || FORM.test(target))) {
    throw new Malformed('the request target')
  }
  const version = versionAt(text, at)
  const rawHeaders = readFields(text, at + VERSION_LENGTH)
  return judge(method, target, rawHeaders, version)
}

const SLASH = 0x2f
const VERSION_LENGTH = ' HTTP/1.1\r\n'.length

function versionAt(text: string, offset: number): '1.0' | '1.1' {
  if (text.startsWith(' HTTP/1.1\r\n', offset)) return '1.1'
  if (text.startsWith(' HTTP/1.0\r\n', offset)) return '1.0'
  throw new Malformed(/^ HTTP\/\d\.\d\r\n/.test(text.slice(offset)) ? 'HTTP version not supported' : 'the request line')
}

/** Fields that decide where a request ends and what becomes of its connection are known by the length of their names first. */
function judge(
  method: string,
  target: string,
  rawHeaders: readonly string[],
  version: RequestHead['version'],
): RequestHead {
  let hosts = 0
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let expect: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    switch (name.length) {
      case 4:
        if (isNamed(name, 'host')) hosts += 1
        break
      case 6:
        if (isNamed(name, 'expect')) expect = expect === undefined ? value : `${expect}, ${value}`
        break
      case 10:
        if (isNamed(name, 'connection')) connection = connection === '' ? value : `${connection},${value}`
        break
      case 14:
        if (!isNamed(name, 'content-length')) break
        if (length !== undefined) throw new Malformed('more than one Content-Length')
        length = value
        break
      case 17:
        if (!isNamed(name, 'transfer-encoding')) break
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
    rawHeaders,
    version,
    framing,
    keepsAlive: keepsAlive(connection, version),
    expects: expect === undefined || version === '1.0' ? 'nothing' : expectation(expect, framing),
  }
}

const isNamed = (name: string, lowerCase: string): boolean => name === lowerCase || name.toLowerCase() === lowerCase

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
  if (!/^\d{1,15}$/.test(length)) throw new Malformed('Content-Length is not a number')
  return Number(length)
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
