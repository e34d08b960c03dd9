const MILLISECONDS = Array.from({ length: 1000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`)

/**
 * A formatter of instants, milliseconds since 1970, as `Date.toISOString` does: it makes the text of a second once, because
 * lines of a log come thousands to the second.
 *
 * @throws RangeError where the instant is beyond what a Date holds
 */
export function isoTimes(): (ms: number) => string {
  let second = NaN
  let start = ''
  let lastMs = NaN
  let last = ''
  return (ms) => {
    if (ms === lastMs) return last
    const whole = Math.trunc(ms)
    const within = whole % 1000
    if (whole >= 0 && whole - within === second) last = `${start}${MILLISECONDS[within] as string}`
    else {
      last = new Date(ms).toISOString()
      start = last.slice(0, -4)
      second = whole >= 0 ? whole - within : NaN
    }
    lastMs = ms
    return last
  }
}
