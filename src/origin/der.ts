/** The few types of DER (ITU-T X.690) that a certificate is made of. Each function gives tag, length and content. */

const value = (tag: number, content: Uint8Array): Buffer => {
  const length = content.length
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(length)
  const short = size.subarray(size.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.of(tag, 0x80 | short.length), short, content])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => value(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Uint8Array[]): Buffer => value(0x31, Buffer.concat(parts))
export const boolean = (is: boolean): Buffer => value(0x01, Buffer.of(is ? 0xff : 0))
export const octetString = (content: Uint8Array): Buffer => value(0x04, content)
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  value(0x03, Buffer.concat([Buffer.of(unusedBits), content]))
export const utf8String = (text: string): Buffer => value(0x0c, Buffer.from(text, 'utf8'))

/** A positive integer, big-endian; leading zeros go, and one comes where the first bit would mean a minus. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start === -1 ? Buffer.of(0) : bytes.subarray(start)
  return value(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits)
}

/** An object identifier in dots, `2.5.29.17`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return value(0x06, Buffer.from(bytes))
}

/** UTCTime until 2049 and GeneralizedTime from 2050, as RFC 5280 4.1.2.5 asks. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d{3}/g, '')
  return date.getUTCFullYear() < 2050
    ? value(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : value(0x18, Buffer.from(digits, 'latin1'))
}

/** `[tag]` around whole values (explicit). */
export const explicit = (tag: number, ...parts: readonly Uint8Array[]): Buffer =>
  value(0xa0 | tag, Buffer.concat(parts))
/** `[tag]` in place of a primitive value's own tag (implicit). */
export const implicit = (tag: number, content: Uint8Array): Buffer => value(0x80 | tag, content)
