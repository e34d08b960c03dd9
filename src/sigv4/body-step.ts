/** Where the pieces of a body go. They are views of what came in: whoever takes one must not write to it. */
export type PieceSink = (bytes: Buffer) => void

/**
 * One thing that is done to a body on its way: pieces in, pieces out, nothing copied, no stream of its own. Steps are called
 * where the bytes are, so that several in a row cost calls and not streams.
 */
export interface BodyStep {
  /** @throws S3Error where the body is refused; nothing may be called after that */
  piece(bytes: Buffer, out: PieceSink): void
  /** The body has ended. What is held back until then leaves here. @throws S3Error, or rejects with one */
  end(out: PieceSink): Promise<void> | undefined
}

/** Two steps as one: what leaves the first goes into the second, which ends after it. */
export function inRow(first: BodyStep, second: BodyStep): BodyStep {
  return {
    piece: (bytes, out) => first.piece(bytes, (passed) => second.piece(passed, out)),
    end: (out) => {
      const ended = first.end((passed) => second.piece(passed, out))
      return ended === undefined ? second.end(out) : ended.then(() => second.end(out))
    },
  }
}
