/*
 * The `opaque` policy: an ETag that looks like an MD5 is shown with `-0` behind it, because under SSE-C it is none and
 * clients that compare would take their object for damaged. S3 never gives `-0` itself, so the way back is certain, and
 * no state is needed. (`-1` would collide with multipart uploads of one part.)
 *
 * Both functions look at whole entity tags only: between quotes, `&quot;`, commas, white space, `W/` and the ends.
 */
const SHOWN = /(?<=^|[\s,"/;])([0-9a-f]{32}(?:-0)*)(?=$|[\s,"&])/gi
const CLIENTS = /(?<=^|[\s,"/;])([0-9a-f]{32}(?:-0)*)-0(?=$|[\s,"&])/gi

/** Nearly every ETag header. */
const USUAL = /^"[0-9a-f]{32}"$/

/** An ETag of the upstream, header or XML text, as clients see it. Everything but 32 hex digits is left alone. */
export function showETag(raw: string): string {
  return raw.length === 34 && USUAL.test(raw) ? `${raw.slice(0, -1)}-0"` : raw.replace(SHOWN, '$1-0')
}

/**
 * A client's ETag or list of them (If-Match and the like, with `W/`, `*`, quotes or without) as the upstream knows it.
 * Undoes {@link showETag} on every text; an ETag without `-0` is left alone.
 */
export function resolveETag(value: string): string {
  return value.replace(CLIENTS, '$1')
}
