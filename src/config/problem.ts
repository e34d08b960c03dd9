/** The way to a value: member names and indices. */
export type Path = readonly (string | number)[]

/** Something wrong in a configuration: `identities[0].name`, and what to do about it. Never the value of a secret. */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** A problem whose place can still be looked up. */
export interface Finding {
  readonly at: Path
  readonly message: string
}

/** `identities[0].grants[1].bucket`; the document itself is `configuration`. */
export function formatPath(path: Path): string {
  if (path.length === 0) return 'configuration'
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${shownName(part)}`))
    .join('')
}

/** Unknown names are shown too, unless they look like something that slipped into a name's place. */
export function shownName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(name) ? name : '(name not shown)'
}

/** One finding for each value that is there already, naming the place of the first. */
export function repeated(
  values: readonly { readonly at: Path; readonly value: string }[],
  message: (first: string) => string,
): readonly Finding[] {
  const seen = new Map<string, Path>()
  return values.flatMap(({ at, value }) => {
    const first = seen.get(value)
    if (first !== undefined) return [{ at, message: message(formatPath(first)) }]
    seen.set(value, at)
    return []
  })
}
