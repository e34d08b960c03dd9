import { type KeyObject, hash } from 'node:crypto'

/** Bytes of a block of SHA-256, and of its digest. */
const BLOCK = 64
const DIGEST = 32

/** More than a string to sign has. */
const USUAL_LENGTH = 512

/**
 * HMAC-SHA256 (RFC 2104) under one key: a byte string in, hex out. For keys that sign many texts: two one-shot hashes take less than
 * half of what making and finishing an Hmac object does.
 *
 * @param key any length
 */
export function hmacSha256(key: KeyObject): (text: string) => string {
  const bytes = key.export()
  const short = bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes
  const outer = padded(short, 0x5c, DIGEST)
  let inner = padded(short, 0x36, USUAL_LENGTH)
  return (text) => {
    const end = BLOCK + text.length
    if (end > inner.length) inner = padded(short, 0x36, text.length)
    inner.write(text, BLOCK, 'latin1')
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
