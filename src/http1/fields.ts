import { Malformed } from './malformed.js'

/*
 * Field lines: RFC 9110 section 5, RFC 9112 section 5. Texts are byte strings (latin1).
 */

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a

/** One at the codes of `characters`. A table is read in a fifth of the time that a regular expression is begun in. */
export function codeTable(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (characters.test(String.fromCharCode(code)) ? 1 : 0))
}

const IN_NAME = codeTable(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)
const IN_VALUE = codeTable(/[\t\x20-\x7e\x80-\xff]/)

/** What no value may hold. */
export const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * Reads `name: value` lines, each with its CRLF, from `offset` to the end of `text`. No line is folded, none ends in a bare LF,
 * nothing stands between a name and its colon.
 *
 * @returns name, value, name, value …: names as sent, values without white space around them
 * @throws Malformed
 */
export function readFields(text: string, offset: number): string[] {
  const fields: string[] = []
  const { length } = text
  let at = offset
  while (at < length) {
    const name = at
    while (at < length && IN_NAME[text.charCodeAt(at)] === 1) at += 1
    if (at === name || at === length || text.charCodeAt(at) !== COLON) throw new Malformed('the name of a header')
    fields.push(text.slice(name, at))
    at += 1
    while (at < length && isBlank(text.charCodeAt(at))) at += 1
    const value = at
    while (at < length && IN_VALUE[text.charCodeAt(at)] === 1) at += 1
    let end = at
    if (at + 1 >= length || text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      throw new Malformed('the value of a header')
    }
    while (end > value && isBlank(text.charCodeAt(end - 1))) end -= 1
    fields.push(text.slice(value, end))
    at += 2
  }
  return fields
}
