/**
 * HTTP header fields as the pipeline passes them on: lower-case name → value, repeated fields joined by `,` in the order
 * in which they came (RFC 9110, 5.3). Values are byte strings (one char per octet, latin1), as the listener gives them.
 */
export type Fields = ReadonlyMap<string, string>

/**
 * Without the spaces and tabs at its ends, in linear time: a pattern for trailing blanks takes the square of a long run of
 * them, and strangers choose the text.
 */
export function trimBlanks(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isBlank(text, from)) from += 1
  while (to > from && isBlank(text, to - 1)) to -= 1
  return text.slice(from, to)
}

const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t'

/** name, value, name, value … in the order in which they came; names in lower case */
export type FieldLines = readonly string[] & { readonly names: 'lower case' }

/** @param rawHeaders name, value, name, value … as node gives them: names as sent */
export const fieldsOf = (rawHeaders: readonly string[]): Fields => foldFields(fieldLines(rawHeaders))

export const fieldLines = (rawHeaders: readonly string[]): FieldLines =>
  rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)) as readonly string[] as FieldLines

/** @param repeated is told each name that occurs again; may throw */
export function foldFields(lines: FieldLines, repeated: (name: string) => void = () => undefined): Fields {
  const fields = new Map<string, string>()
  let size = 0
  for (let i = 0; i + 1 < lines.length; i += 2) {
    fields.set(lines[i] as string, lines[i + 1] as string)
    // Nearly no head repeats a field: looking for one before each is set would cost as much as setting it.
    if (fields.size === size) return foldRepeated(lines, repeated)
    size += 1
  }
  return fields
}

function foldRepeated(lines: FieldLines, repeated: (name: string) => void): Fields {
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
