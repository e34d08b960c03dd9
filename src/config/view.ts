import type { Finding, Path } from './problem.js'

/** A value in the document, and where. */
export interface Found<T> {
  readonly at: Path
  readonly value: T
}

/** `*` stands for every index of a list. */
export type Pattern = readonly string[]

/**
 * A document of which parts may be wrong in shape, read so that checks of meaning see everything else: then one run
 * reports all problems.
 */
export interface View {
  /** Every value at the pattern that is there and has no problem of shape, in it or above it. */
  values(pattern: Pattern): readonly Found<unknown>[]
  texts(pattern: Pattern): readonly Found<string>[]
  /** What is at exactly this place, whatever it is. */
  get(at: Path): unknown
  /** Whether the document itself has something here, not only the schema's default. */
  given(at: Path): boolean
}

/** `document` has defaults filled in, `written` has not; `wrong` are the problems of shape. */
export function viewOf(document: unknown, written: unknown, wrong: readonly Finding[]): View {
  // A missing or unknown member spoils nothing but itself; what is below a wrong value, or holds one, is not looked at.
  const sound = (at: Path): boolean =>
    !wrong.some((finding) => startsWith(at, finding.at) || startsWith(finding.at, at))
  const values = (pattern: Pattern): readonly Found<unknown>[] =>
    expand(document, pattern).filter(({ at, value }) => value !== undefined && sound(at))
  return {
    values,
    texts: (pattern) => values(pattern).filter((found): found is Found<string> => typeof found.value === 'string'),
    get: (at) => valueAt(document, at),
    given: (at) => valueAt(written, at) !== undefined,
  }
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((part, i) => path[i] === part)
}

function expand(value: unknown, [first, ...rest]: Pattern, at: Path = []): readonly Found<unknown>[] {
  if (first === undefined) return [{ at, value }]
  if (first !== '*') return expand(member(value, first), rest, [...at, first])
  return Array.isArray(value) ? value.flatMap((item, i) => expand(item, rest, [...at, i])) : []
}

const valueAt = (value: unknown, at: Path): unknown => at.reduce(member, value)

function member(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string | number, unknown>>)[name]
    : undefined
}
