import { type KeyObject, hash } from 'node:crypto'

/** Bytes of a block of SHA-256, and of its digest. */
const BLOCK = 64
const DIGEST = 32

/** More than a string to sign has. */
const USUAL_LENGTH = 512

/** HMAC-SHA256 of `head` and `tail` in one, both byte strings (latin1); hex. */
export type Hmac = (head: string, tail: string) => string

/**
 * HMAC-SHA256 (RFC 2104) under one key. For keys that sign many texts: two one-shot hashes take less than half of what making and
 * finishing an Hmac object does. The last head stays where it was written: strings to sign have the same one for a second.
 *
 * @param key any length
 */
export function hmacSha256(key: KeyObject): Hmac {
  const bytes = key.export()
  const short = bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes
  const outer = padded(short, 0x5c, DIGEST)
  let inner = padded(short, 0x36, USUAL_LENGTH)
  let written = ''
  return (head, tail) => {
    const behindHead = BLOCK + head.length
    const end = behindHead + tail.length
    if (end > inner.length) {
      inner = padded(short, 0x36, end - BLOCK)
      written = ''
    }
    if (head !== written) {
      inner.write(head, BLOCK, 'latin1')
      written = head
    }
    // Behind it, so the head is whole: of a shorter one before, only what stood behind it is overwritten.
    inner.write(tail, behindHead, 'latin1')
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'latin1')
    return hash('sha256', outer)
  }
}

/** The key, filled up to a block and xored with the pad, and room for `length` bytes behind it. */
function padded(key: Buffer, pad: number, length: number): Buffer {
  const bytes = Buffer.alloc(BLOCK + length, pad)
  for (const [i, byte] of key.entries()) bytes[i] = byte ^ pad
  return bytes
}
