const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser turns a bare one into a line feed (XML 1.0, 2.11).
  '\r': '&#13;',
}
const REFERENCE = /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));|&/g

/** Everything that XML 1.0 (2.2) does not allow, in whatever form. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** Whether XML 1.0 can hold this text at all. */
export function fitsXml(text: string): boolean {
  return text.search(FORBIDDEN) < 0
}

/** Text as the content of an element. What XML cannot hold becomes U+FFFD; see {@link fitsXml}. */
export function escapeXml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"\r]/g, (character) => ESCAPED[character] as string)
}

/** The content of an element as text; `undecodable` where a reference is not one of XML's own. */
export function unescapeXml(content: string): { readonly text: string } | 'undecodable' {
  if (!content.includes('&')) return { text: content }
  let known = true as boolean
  const text = content.replace(REFERENCE, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] as string
    const point = hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? 'none')
    if (point <= 0x10ffff) return String.fromCodePoint(point)
    known = false
    return whole
  })
  return known ? { text } : 'undecodable'
}
