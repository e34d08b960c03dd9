/** What a caller says of the trace that its request belongs to. */
export interface TraceContext {
  /** 32 hex digits */
  readonly traceId: string
  /** The caller's span, 16 hex digits. */
  readonly spanId: string
  /** Whether the caller records it. */
  readonly sampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/**
 * Parses `traceparent`. What is not well-formed says nothing, and is no reason to refuse a request.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(value: string | undefined): TraceContext | 'none' {
  if (value === undefined) return 'none'
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(value) ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return 'none'
  // Later versions may go on after the flags, this one may not; ff is none.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return 'none'
  if (traceId === NO_TRACE || spanId === NO_SPAN) return 'none'
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
