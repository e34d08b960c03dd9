const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]0000)$/

/** `yyyymmddThhmmssZ`, the one form that a string to sign takes. */
export function formatTimestamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** As S3 shows times in its errors: `2013-05-24T00:00:00Z`. */
export function showTime(date: Date): string {
  return date.toISOString().replace(/\.\d{3}/, '')
}

/** Reads `yyyymmddThhmmssZ`; a day or an hour that does not exist is invalid. */
export function parseTimestamp(text: string): Date | 'invalid' {
  const parts = BASIC.exec(text)
  if (parts === null) return 'invalid'
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  return formatTimestamp(date) === text ? date : 'invalid'
}

/** Reads the `Date` header, which may stand in for `x-amz-date`: an HTTP date (RFC 9110, 5.6.7) or the basic form. */
export function parseDateHeader(text: string): Date | 'invalid' {
  if (!HTTP_DATE.test(text)) return parseTimestamp(text)
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? 'invalid' : date
}
