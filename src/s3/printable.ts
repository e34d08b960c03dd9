/**
 * A text of somebody else's as a terminal may show it: control and format characters, which move cursors, colour, or turn
 * the direction of writing, are written like `\u{1b}`; line feeds and tabs stay.
 */
export const printable = (text: string): string =>
  text.replace(/[^\P{C}\n\t]|[\u2028\u2029]/gu, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`)
