const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
/** RFC 9110's date, with the zones that clients write in place of GMT; then its two obsolete forms. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4}))$/
const RFC_850 = /^[A-Z][a-z]{2,5}day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d:\d\d:\d\d) GMT$/
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/

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
