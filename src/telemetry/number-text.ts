/** What stands behind the whole number: nothing, `.001`, `.002`, … `.01` …. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, n) => String(n / 1000).slice(1))

/** A number of that many digits is the only one among them that its double stands for, so that JSON has just these. */
const MOST = 1e15

/** As JSON has a number; what is none is null. */
export const numberText = (value: number): string => (Number.isFinite(value) ? String(value) : 'null')

/**
 * Milliseconds with three decimals at most, as JSON has them; microseconds are enough. Put together of whole numbers, because to find the
 * shortest text of a double costs more.
 */
export function msText(ms: number): string {
  const microseconds = Math.round(ms * 1000)
  if (!(microseconds >= 0 && microseconds < MOST)) return numberText(microseconds / 1000)
  const within = microseconds % 1000
  return `${(microseconds - within) / 1000}${THOUSANDTHS[within] as string}`
}
