import { inspect } from 'node:util'

/**
 * A 256-bit key in base64, as the header takes it. Prints nothing of it, like a KeyObject of node:crypto, and costs a
 * fraction: for keys that are made for one request.
 */
export class EncodedKey {
  readonly #base64: string
  constructor(base64: string) {
    this.#base64 = base64
  }
  /** For the one who writes the header. */
  base64(): string {
    return this.#base64
  }
  export(): Buffer {
    // Not Buffer.from, whose bytes lie in a pool that others get pieces of.
    const bytes = Buffer.alloc(32)
    bytes.write(this.#base64, 'base64')
    return bytes
  }
  toString(): string {
    return '[key]'
  }
  toJSON(): string {
    return '[key]'
  }
  [inspect.custom](): string {
    return '[key]'
  }
}
