import { createHash } from 'node:crypto'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

/** What every object and every body consists of, again and again: bytes that no compression would shorten. */
export const BLOCK: Buffer = Buffer.concat(
  Array.from({ length: (128 * KIB) / 32 }, (_, i) => createHash('sha256').update(`block ${i}`).digest()),
)

/** A piece of a body: text as it is, or so many bytes of content. */
export type Piece = { readonly text: string } | { readonly fill: number }

export const sizeOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + ('text' in piece ? Buffer.byteLength(piece.text, 'latin1') : piece.fill), 0)

/** The bytes of the pieces, in buffers of at most a block; pieces of text are joined with what follows if it is small. */
export function* buffersOf(pieces: readonly Piece[]): Generator<Buffer> {
  for (const piece of pieces) {
    if ('text' in piece) yield Buffer.from(piece.text, 'latin1')
    else {
      let left = piece.fill
      for (; left >= BLOCK.length; left -= BLOCK.length) yield BLOCK
      if (left > 0) yield BLOCK.subarray(0, left)
    }
  }
}
