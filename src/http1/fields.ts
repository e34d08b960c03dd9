import { codeTable } from './code-table.js'
import { hashOn, knownName, LOWER_CASE } from './known-names.js'
import type { Lines } from './lines.js'
import { Malformed } from './malformed.js'

/*
 * Field lines: RFC 9110 section 5, RFC 9112 section 5. Strings are byte strings (latin1).
 */

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a

const IN_VALUE = codeTable(/[\t\x20-\x7e\x80-\xff]/)

/** What no value may hold. */
export const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09

/**
 * name, value, name, value … in the order in which they came: names in lower case, values without white space around them. Nothing but
 * {@link readFields} makes them, so whoever is given some knows that no name and no value holds a character that it may not.
 */
export type FieldLines = readonly string[] & { readonly names: 'lower case'; readonly characters: 'looked at' }

/**
 * Reads `name: value` lines, each with its CRLF, from `offset` to the end of `lines`. No line is folded, none ends in a bare LF,
 * nothing stands between a name and its colon.
 *
 * @param offset in characters of the text
 * @throws Malformed
 */
export function readFields({ bytes, from, text }: Lines, offset: number): FieldLines {
  const fields: string[] = []
  const last = from + text.length
  let at = from + offset
  while (at < last) {
    const name = at
    let hash = 0
    while (at < last) {
      const code = LOWER_CASE[bytes[at] as number] as number
      if (code === 0) break
      hash = hashOn(hash, code)
      at += 1
    }
    if (at === name || at === last || bytes[at] !== COLON) throw new Malformed('the name of a header')
    const known = knownName(bytes, name, at, hash)
    fields.push(known === 'unknown' ? text.slice(name - from, at - from).toLowerCase() : known)
    at += 1
    while (at < last && isBlank(bytes[at] as number)) at += 1
    const value = at
    while (at < last && IN_VALUE[bytes[at] as number] === 1) at += 1
    let end = at
    if (at + 1 >= last || bytes[at] !== CR || bytes[at + 1] !== LF) throw new Malformed('the value of a header')
    while (end > value && isBlank(bytes[end - 1] as number)) end -= 1
    fields.push(text.slice(value - from, end - from))
    at += 2
  }
  return fields as readonly string[] as FieldLines
}
