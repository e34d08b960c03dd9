import { Readable } from 'node:stream'

/** Who takes a body piece by piece. */
export interface BodyTaker {
  /** @returns whether more may follow at once; else `go` of the body tells when */
  readonly data: (piece: Buffer) => boolean
  readonly end: () => void
  /** The body broke off; nothing follows. */
  readonly failed: (error: Error) => void
}

/**
 * The body of an answer. Exactly one of these takes it: `whole`, `flowTo`, `stream`, `resume` or `destroy`; a stream is made only
 * where one is asked for.
 */
export interface AnswerBody {
  /** All of it, where all of it has arrived; it is taken then. */
  whole(): Buffer | 'not yet'
  /** Calls the taker from the next turn on, or from now on. */
  flowTo(taker: BodyTaker): void
  /** After `data` said no. */
  go(): void
  /** The same stream each time. */
  stream(): Readable
  /** Takes the rest in and drops it, so that the connection can serve again. */
  resume(): void
  /** Gives it up, and its connection where there is still something to come. */
  destroy(error?: Error): void
}

/** A body that is here already. */
export function bytesBody(bytes: Buffer): AnswerBody {
  let stream: Readable | undefined
  return {
    whole: () => bytes,
    flowTo: (taker) => {
      if (bytes.length > 0) taker.data(bytes)
      taker.end()
    },
    go: () => undefined,
    stream: () => (stream ??= Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false })),
    resume: () => undefined,
    destroy: () => undefined,
  }
}

/** A body that node gives as a stream. */
export function streamBody(stream: Readable): AnswerBody {
  return {
    whole: () => 'not yet',
    flowTo: (taker) => {
      // It broke off before: nothing of it will be told any more.
      if (stream.destroyed) {
        taker.failed(stream.errored ?? new Error('the answer was closed before its end'))
        return
      }
      let isEnded = false
      stream.on('data', (piece: Buffer) => {
        if (!taker.data(piece)) stream.pause()
      })
      stream.on('end', () => {
        isEnded = true
        taker.end()
      })
      stream.on('error', (error) => {
        isEnded = true
        taker.failed(error)
      })
      stream.on('close', () => {
        if (!isEnded) taker.failed(stream.errored ?? new Error('the answer was closed before its end'))
      })
    },
    go: () => void stream.resume(),
    stream: () => stream,
    resume: () => void stream.resume(),
    destroy: (error) => void stream.destroy(error),
  }
}
