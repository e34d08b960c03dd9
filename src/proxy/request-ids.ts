const DIGITS = 16
const DRAWN_BYTES = 4096

/**
 * Gives request ids as S3's look: 16 upper-case hex digits, of 8 random bytes that go into no other id. 512 ids are drawn
 * at once, because a draw costs more than the rest of an id.
 */
export function requestIds(randomBytes: (size: number) => Buffer): () => string {
  let digits = ''
  let used = 0
  return () => {
    if (used + DIGITS > digits.length) {
      digits = randomBytes(DRAWN_BYTES).toString('hex').toUpperCase()
      used = 0
    }
    used += DIGITS
    return digits.slice(used - DIGITS, used)
  }
}
