import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type ErrorCode } from 'yaml'
import type { Path } from './problem.js'

export interface YamlProblem {
  readonly line: number
  readonly column: number
  readonly message: string
}

export type YamlResult =
  | {
      readonly type: 'value'
      readonly value: unknown
      /** The line, counted from 1, of the member or entry, or of the nearest one around it that is there. */
      readonly lineOf: (at: Path) => number
    }
  | { readonly type: 'problems'; readonly problems: readonly YamlProblem[] }

/** A configuration is some kilobytes; nothing that is larger is one. */
const LARGEST = 1_048_576

/**
 * One YAML 1.2 document, strictly. Duplicate keys, tags, anchors, aliases and merge keys are refused: what a line says
 * must not depend on another one, and aliases can unfold into gigabytes.
 */
export function parseYaml(text: string): YamlResult {
  if (text.length > LARGEST) return failure([{ line: 1, column: 1, message: 'the file is larger than 1 MiB' }])
  if (nestsTooDeep(text)) return failure([{ line: 1, column: 1, message: MESSAGES.RESOURCE_EXHAUSTION }])
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: true,
    logLevel: 'error',
  })
  const problems: YamlProblem[] = []
  const report = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset)
    problems.push({ line, column: col, message })
  }
  for (const error of [...document.errors, ...document.warnings]) report(error.pos[0], MESSAGES[error.code])
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    report(0, 'only YAML 1.2 is read: remove the %YAML line')
  }
  visit(document, {
    Node(_, node) {
      const start = node.range?.[0] ?? 0
      if (isAlias(node) || node.anchor !== undefined) {
        report(start, 'anchors (&) and aliases (*) are not supported')
        return visit.BREAK
      }
      if (node.tag !== undefined) report(start, MESSAGES.TAG_RESOLVE_FAILED)
      return undefined
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '<<') report(key.range?.[0] ?? 0, 'merge keys (<<) are not supported')
    },
  })
  if (problems.length > 0) return failure(problems)
  return { type: 'value', value: document.toJS({ maxAliasCount: 0 }), lineOf }

  function lineOf(at: Path): number {
    let node: unknown = document.contents
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
    for (const part of at) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === part)
        if (pair === undefined) break
        if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
        node = pair.value
      } else if (isSeq(node) && typeof part === 'number') {
        node = node.items[part]
        if (isNode(node)) offset = node.range?.[0] ?? offset
      } else break
    }
    return lines.linePos(offset).line
  }
}

/**
 * The parser needs minutes and gigabytes for a hundred thousand open brackets. A configuration nests a handful of
 * levels; brackets in comments and quotes are counted too, which does no harm at this limit.
 */
export function nestsTooDeep(text: string): boolean {
  let depth = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > 100) return true
  }
  return /^ {400}|^ *(?:[-?:] +){50}/m.test(text)
}

/** By position: the order in which somebody mends them. */
function failure(problems: readonly YamlProblem[]): YamlResult {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
  const distinct = sorted.filter((one, i) => JSON.stringify(one) !== JSON.stringify(sorted[i - 1]))
  return { type: 'problems', problems: distinct }
}

/** What is wrong, without the text around it. */
export const parserMessage = (code: ErrorCode): string => MESSAGES[code]

/** Own words, because the parser's quote the text around the fault, which may be a secret. */
const MESSAGES: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'this alias has no name, or the text needs quotes',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'this directive is malformed or unknown',
  BAD_DQ_ESCAPE: 'this escape does not exist in double quotes; single quotes take a backslash as it is',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_PROP_ORDER: 'anchors and tags must come before what they belong to',
  BAD_SCALAR_START: 'text that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second `name:` cannot be on the same line; text with ": " in it needs quotes',
  BLOCK_IN_FLOW: 'indented lists and fields cannot be inside brackets',
  DUPLICATE_KEY: 'this field is there already, in the same group',
  IMPOSSIBLE: 'this cannot be parsed',
  KEY_OVER_1024_CHARS: 'the name of a field is too long',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a comma, or a space',
  MULTILINE_IMPLICIT_KEY: 'the name of a field must be on one line; a `:` may be missing',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'a second document starts here; there must be one',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'the name of a field must be text',
  RESOURCE_EXHAUSTION: 'the nesting is too deep',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!) are not supported; text that begins with ! needs quotes',
  UNEXPECTED_TOKEN: 'this is not expected here; the indentation or a quote before it may be wrong',
}
