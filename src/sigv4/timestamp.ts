/** RFC 9110's date, with the zones that clients write in place of GMT; then its two obsolete forms. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4}))$/
const RFC_850 = /^[A-Z][a-z]{2,5}day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d:\d\d:\d\d) GMT$/
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/

let lastSecond = Number.NaN
let lastText = ''

/** `yyyymmddThhmmssZ`, the one form that a string to sign takes. The last one is kept: a second has many requests. */
export function formatTimestamp(date: Date): string {
  const second = Math.floor(date.getTime() / 1000)
  if (second !== lastSecond) {
    lastText = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
    lastSecond = second
  }
  return lastText
}

/** As S3 shows times in its errors: `2013-05-24T00:00:00Z`. */
export function showTime(date: Date): string {
  return date.toISOString().replace(/\.\d{3}/, '')
}

/** Reads `yyyymmddThhmmssZ`; a day or an hour that does not exist is invalid. */
export function parseTimestamp(text: string): Date | 'invalid' {
  const time = timestampMs(text)
  return Number.isNaN(time) ? 'invalid' : new Date(time)
}

let lastRead = ''
let lastTime = Number.NaN

/** The same as milliseconds, NaN where it is invalid. The last one is kept, for whoever asks again. */
export function timestampMs(text: string): number {
  if (text !== lastRead) {
    lastTime = timeOf(text)
    lastRead = text
  }
  return lastTime
}

/** Milliseconds; NaN where it is none. */
function timeOf(text: string): number {
  if (text.length !== 16 || text[8] !== 'T' || text[15] !== 'Z') return Number.NaN
  const [year, month, day] = [digits(text, 0, 4), digits(text, 4, 6), digits(text, 6, 8)]
  const [hour, minute, second] = [digits(text, 9, 11), digits(text, 11, 13), digits(text, 13, 15)]
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // A day that does not exist is taken for one of another month, and a year below 100 for 19xx.
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return exists && hour < 24 && minute < 60 && second < 60 ? date.getTime() : Number.NaN
}

/** NaN where one of the characters is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN
  }
  return value
}

/**
 * Reads the `Date` header, which may stand in for `x-amz-date`: an HTTP date (RFC 9110, 5.6.7), in its obsolete forms too, or
 * the basic form.
 */
export function parseDateHeader(text: string): Date | 'invalid' {
  const usual = usualForm(text)
  if (usual === undefined) return parseTimestamp(text)
  const date = new Date(usual)
  return Number.isNaN(date.getTime()) ? 'invalid' : date
}

function usualForm(text: string): string | undefined {
  const [, usual] = HTTP_DATE.exec(text) ?? []
  if (usual !== undefined) return usual
  const old = RFC_850.exec(text)
  // Nobody's clock can be off by a century: requests of 19xx are refused in any case.
  if (old !== null) return `${old[1]} ${old[2]} 20${old[3]} ${old[4]} GMT`
  const unix = ASCTIME.exec(text)
  return unix === null ? undefined : `${unix[2]} ${unix[1]} ${unix[4]} ${unix[3]} GMT`
}
