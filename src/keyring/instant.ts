/** An instant as keyring files write it, UTC in ISO 8601, with or without milliseconds; undefined for anything else. */
export function parseInstant(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(text)) return undefined
  const time = new Date(text)
  // 30 February parses, as 2 March.
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 19)) ? time : undefined
}
