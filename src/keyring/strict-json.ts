import type { Problem } from '../config/problem.js'

export type StrictJson =
  | { readonly type: 'value'; readonly value: unknown; readonly duplicates: readonly Problem[] }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

/**
 * JSON, told of members that come twice in one object: JSON.parse silently keeps the last, which here would be another
 * key than the one somebody reads in the file.
 */
export function parseStrictJson(text: string): StrictJson {
  try {
    const value: unknown = JSON.parse(text)
    return { type: 'value', value, duplicates: duplicateMembers(text) }
  } catch (error) {
    return { type: 'problems', problems: [{ path: 'document', message: syntaxProblem(text, error) }] }
  }
}

/** V8's message quotes the text around the fault, which may be a key: only the position is taken from it. */
function syntaxProblem(text: string, error: unknown): string {
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  if (text.trim() === '') return 'is empty'
  if (position === undefined) return 'is not JSON, or was cut off'
  const line = text.slice(0, Number(position)).split('\n').length
  return `is not JSON, or was cut off, in line ${line}`
}

/** The name of a member, where it is short and plain enough to be no key. */
export function shownName(name: string): string {
  return /^[A-Za-z]{1,16}$/.test(name) ? name : '(name not shown)'
}

type Frame =
  | {
      readonly type: 'object'
      readonly path: string
      readonly names: Set<string>
      member: string
      expect: 'name' | 'value'
    }
  | { readonly type: 'array'; readonly path: string; index: number }

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs

/** Walks over the strings and brackets of a text that JSON.parse took. */
function duplicateMembers(text: string): readonly Problem[] {
  const problems: Problem[] = []
  const open: Frame[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = open.at(-1)
    if (token === '{') open.push({ type: 'object', path: pathOf(frame), names: new Set(), member: '', expect: 'name' })
    else if (token === '[') open.push({ type: 'array', path: pathOf(frame), index: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (frame?.type === 'array') frame.index += token === ',' ? 1 : 0
    else if (frame === undefined) continue
    else if (token === ':') frame.expect = 'value'
    else if (token === ',') frame.expect = 'name'
    else if (frame.expect === 'name') {
      frame.member = JSON.parse(token) as string
      if (frame.names.has(frame.member)) problems.push({ path: pathOf(frame), message: 'comes twice in its object' })
      frame.names.add(frame.member)
    }
  }
  return problems
}

function pathOf(frame: Frame | undefined): string {
  if (frame === undefined) return ''
  if (frame.type === 'array') return `${frame.path}[${frame.index}]`
  return `${frame.path === '' ? '' : `${frame.path}.`}${shownName(frame.member)}`
}
