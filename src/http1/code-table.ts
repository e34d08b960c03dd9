/** One at the codes of `characters`. A table is read in a fifth of the time that a regular expression is begun in. */
export function codeTable(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (characters.test(String.fromCharCode(code)) ? 1 : 0))
}
