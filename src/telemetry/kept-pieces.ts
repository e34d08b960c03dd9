/** A piece of a line's JSON. */
export interface Piece {
  readonly json: string
  /** Whether all texts in it are (plain-text.ts). */
  readonly plain: boolean
}

const MOST_KEPT = 1000

/**
 * Makes pieces of three values each, that are often those of a line before. The last one is kept for each first value, which should be
 * a number or the same piece of memory again and again: to find a text that V8 has not seen yet costs more than to make the piece.
 */
export function keptPieces<A extends string | number, B, C>(
  make: (a: A, b: B, c: C) => Piece,
): (a: A, b: B, c: C) => Piece {
  const pieces = new Map<A, Piece & { readonly b: B; readonly c: C }>()
  return (a, b, c) => {
    const before = pieces.get(a)
    if (before !== undefined && before.b === b && before.c === c) return before
    const { json, plain } = make(a, b, c)
    if (before === undefined && pieces.size >= MOST_KEPT) pieces.clear()
    // One piece of memory too, where V8 would put its parts together again for each line.
    const kept = { json: Buffer.from(json).toString(), plain, b, c }
    pieces.set(a, kept)
    return kept
  }
}
