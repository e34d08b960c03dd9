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

  private constructor(lines: FieldLines) {
    this.#lines = lines
  }

  /** `repeated` where a name occurs twice: its values have to be joined first, and what is joined is no longer what was read. */
  static of(lines: FieldLines): FieldList | 'repeated' {
    return areAllOnce(lines) ? new FieldList(lines) : 'repeated'
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
    if (this.#map !== 'none') return this.#map
    const map = new Map<string, string>()
    for (let i = 0; i < this.#lines.length; i += 2) map.set(this.#lines[i] as string, this.#lines[i + 1] as string)
    this.#map = map
    return map
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
