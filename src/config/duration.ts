const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/** Timers of Node overflow at 24.8 days; nothing that is waited for means more than a day. */
const LONGEST_MS = 86_400_000
/** Ten years, for times that nobody waits for. */
export const LONGEST_LIFETIME_MS = 87_600 * 3_600_000

/** `30s`, `5m`, `500ms` or `1h` in milliseconds; `invalid` for anything else, nothing, and more than the longest. */
export function parseDuration(text: string, longestMs: number = LONGEST_MS): number | 'invalid' {
  const [, amount, unit] = /^([1-9][0-9]{0,9})(ms|s|m|h)$/.exec(text) ?? []
  const factor = UNITS.get(unit ?? '')
  if (amount === undefined || factor === undefined) return 'invalid'
  const ms = Number(amount) * factor
  return ms <= longestMs ? ms : 'invalid'
}
