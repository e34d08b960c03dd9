import type { FieldLines } from './fields.js'

/** With more fields than these a Map is made for looking them up; an answer of S3 has a dozen. */
const FEW = 24

/**
 * The fields of a head that was read, as the lines they came in: to go through a dozen names takes less time than to make a Map of
 * them. All values were looked at character by character, as the type of the lines says, so that none of them can end a line.
 */
export class FieldList implements ReadonlyMap<string, string> {
  // Private, so that nothing that prints fields prints their values: the key's MD5 is among them.
  readonly #lines: FieldLines
  #map: ReadonlyMap<string, string> | 'none' = 'none'

  /** @param repeated is told each name that occurs again, whose values are joined by `,`; may throw */
  constructor(lines: FieldLines, repeated: (name: string) => void = () => undefined) {
    this.#lines = areAllOnce(lines) ? lines : joined(lines, repeated)
  }

  /** No name occurs twice. */
  get lines(): FieldLines {
    return this.#lines
  }

  get size(): number {
    return this.#lines.length / 2
  }

  get(name: string): string | undefined {
    const lines = this.#lines
    if (lines.length > 2 * FEW) return this.#asMap().get(name)
    for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return lines[i + 1]
    return undefined
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  forEach(told: (value: string, name: string, fields: ReadonlyMap<string, string>) => void): void {
    this.#asMap().forEach(told)
  }

  entries(): MapIterator<[string, string]> {
    return this.#asMap().entries()
  }

  keys(): MapIterator<string> {
    return this.#asMap().keys()
  }

  values(): MapIterator<string> {
    return this.#asMap().values()
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.#asMap().entries()
  }

  #asMap(): ReadonlyMap<string, string> {
    if (this.#map === 'none') this.#map = mapOf(this.#lines, () => undefined)
    return this.#map
  }
}

function areAllOnce(lines: FieldLines): boolean {
  if (lines.length > 2 * FEW) return 2 * new Set(lines.filter((_, i) => i % 2 === 0)).size === lines.length
  for (let i = 2; i < lines.length; i += 2) {
    const name = lines[i]
    for (let before = 0; before < i; before += 2) if (lines[before] === name) return false
  }
  return true
}

function mapOf(lines: FieldLines, repeated: (name: string) => void): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = lines[i] as string
    const value = lines[i + 1] as string
    const before = fields.get(name)
    if (before !== undefined) repeated(name)
    fields.set(name, before === undefined ? value : `${before},${value}`)
  }
  return fields
}

/** A comma between two values makes no other character than they have. */
function joined(lines: FieldLines, repeated: (name: string) => void): FieldLines {
  return [...mapOf(lines, repeated)].flat() as readonly string[] as FieldLines
}
