import { shownName } from './strict-json.js'

/** Takes note of a problem. The message must not quote what is in the file. */
export type Report = (path: string, message: string) => void
export type Members = Readonly<Record<string, unknown>>

export function readObject(value: unknown, path: string, report: Report): Members | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  report(path, 'is not an object')
  return undefined
}

/** A list with something in it; an empty one where there is none, which is then reported. */
export function readList(value: unknown, path: string, report: Report): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value
  report(path, value === undefined ? 'is missing' : Array.isArray(value) ? 'is empty' : 'is not a list')
  return []
}

/** A string member, made into what it means; `parse` gives undefined for what `otherwise` says of it. */
export function readText<T>(
  members: Members,
  name: string,
  parent: string,
  report: Report,
  { parse, otherwise }: { readonly parse: (text: string) => T | undefined; readonly otherwise: string },
): T | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  const parsed = typeof value === 'string' ? parse(value) : undefined
  if (parsed !== undefined) return parsed
  const message = value === undefined ? 'is missing' : typeof value === 'string' ? otherwise : 'is not a string'
  report(join(parent, name), message)
  return undefined
}

/** A parser of one of some words. */
export const oneOf =
  <const T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text)

/** Reports what was seen before, and where. */
export function once(seen: Map<string, string>, value: string, path: string, what: string, report: Report): void {
  const before = seen.get(value)
  if (before === undefined) seen.set(value, path)
  else report(`${path}.${what}`, `is the ${what} of ${before} already`)
}

/** Reports every member that is not a known one: a misspelt field must not be a silent one. */
export function refuseOthers(members: Members, known: readonly string[], parent: string, report: Report): void {
  for (const name of Object.keys(members)) {
    if (!known.includes(name)) report(join(parent, shownName(name)), 'is not a field of keyring files')
  }
}

const join = (parent: string, name: string) => (parent === '' ? name : `${parent}.${name}`)
