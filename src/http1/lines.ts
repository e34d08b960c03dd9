/**
 * Lines of a head, each with its CRLF: the bytes, in which characters are looked at in half the time, and the same as a text, of which
 * strings are cut. Character `i` of the text is byte `from + i`, as long as nobody writes to the bytes.
 */
export class Lines {
  readonly bytes: Uint8Array
  readonly from: number
  /** latin1 */
  readonly text: string

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes
    this.from = from
    this.text = bytes.toString('latin1', from, to)
  }
}
