import { Readable } from 'node:stream'

/** A body that is there as a whole, in one piece. @param bytes asked for once, when the body is read; what it throws is the stream's error */
export function wholeBody(bytes: () => Buffer): Readable {
  return new Readable({
    read() {
      try {
        this.push(bytes())
        this.push(null)
      } catch (error) {
        this.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })
}
