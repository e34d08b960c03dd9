import { Refusal } from './refusal.js'

/** Bytes `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The one range that a `Range` header asks for; `whole` where there is none or S3 ignores it (several ranges, other
 * units, a last byte before the first).
 * @throws Refusal InvalidRange
 */
export function readRange(header: string | undefined, size: number): Span | 'whole' {
  const found = /^bytes=(\d*)-(\d*)$/.exec((header ?? '').trim())
  const [, first = '', last = ''] = found ?? []
  if (found === null || (first === '' && last === '')) return 'whole'
  if (first === '') {
    const count = Math.min(Number(last), size)
    if (count === 0) throw unsatisfiable(header, size)
    return { start: size - count, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'whole'
  if (start >= size) throw unsatisfiable(header, size)
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

function unsatisfiable(header: string | undefined, size: number): Refusal {
  return new Refusal('InvalidRange', {
    extra: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  })
}
