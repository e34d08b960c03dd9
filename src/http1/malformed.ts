/** Bytes that are no HTTP/1.1, or that two programs could read in two ways. The message quotes nothing of them. */
export class Malformed extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'Malformed'
  }
}
