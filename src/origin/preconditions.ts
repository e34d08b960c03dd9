import type { Fields } from '../s3/fields.js'
import type { ObjectVersion, State } from './model.js'
import { Refusal } from './refusal.js'

const READ = {
  match: 'if-match',
  noneMatch: 'if-none-match',
  modified: 'if-modified-since',
  unmodified: 'if-unmodified-since',
}
const COPY = {
  match: 'x-amz-copy-source-if-match',
  noneMatch: 'x-amz-copy-source-if-none-match',
  modified: 'x-amz-copy-source-if-modified-since',
  unmodified: 'x-amz-copy-source-if-unmodified-since',
}

/** Conditions of GET and HEAD, in RFC 9110's order of precedence. @throws Refusal PreconditionFailed, NotModified */
export function checkReadConditions(fields: Fields, version: ObjectVersion, state: State): void {
  const failed = failure(fields, version, state, READ)
  if (failed === 'none') return
  if (failed === 'match' || failed === 'unmodified') {
    throw new Refusal('PreconditionFailed', {
      extra: { Condition: failed === 'match' ? 'If-Match' : 'If-Unmodified-Since' },
    })
  }
  const etag = `"${state.faults.rewriteEtag(version.etag)}"`
  throw new Refusal('NotModified', {
    headers: { etag, 'last-modified': version.lastModified.toUTCString(), ...cacheHeaders(version) },
  })
}

/** Conditions on a copy's source. @throws Refusal PreconditionFailed */
export function checkCopyConditions(fields: Fields, version: ObjectVersion, state: State): void {
  const failed = failure(fields, version, state, COPY)
  if (failed !== 'none') throw new Refusal('PreconditionFailed', { extra: { Condition: COPY[failed] } })
}

/** `If-None-Match: *` and `If-Match` of PutObject and CompleteMultipartUpload. @throws Refusal */
export function checkWriteConditions(fields: Fields, current: ObjectVersion | 'none', state: State): void {
  const noneMatch = fields.get('if-none-match')
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== '*') throw new Refusal('NotImplemented', { extra: { Header: 'If-None-Match' } })
    if (current !== 'none') throw new Refusal('PreconditionFailed', { extra: { Condition: 'If-None-Match' } })
  }
  const match = fields.get('if-match')
  if (match === undefined) return
  if (current === 'none') throw new Refusal('NoSuchKey')
  if (!names(match, current, state)) throw new Refusal('PreconditionFailed', { extra: { Condition: 'If-Match' } })
}

function cacheHeaders(version: ObjectVersion): Record<string, string> {
  const kept = ['cache-control', 'expires'].filter((name) => version.headers[name] !== undefined)
  return Object.fromEntries(kept.map((name) => [name, version.headers[name] ?? '']))
}

function failure(
  fields: Fields,
  version: ObjectVersion,
  state: State,
  header: typeof READ,
): keyof typeof READ | 'none' {
  const match = fields.get(header.match)
  const noneMatch = fields.get(header.noneMatch)
  const modified = Math.floor(version.lastModified.getTime() / 1000) * 1000
  if (match !== undefined) {
    if (!names(match, version, state)) return 'match'
  } else {
    const unmodified = timeOf(fields.get(header.unmodified))
    if (unmodified !== undefined && modified > unmodified) return 'unmodified'
  }
  if (noneMatch !== undefined) {
    if (names(noneMatch, version, state)) return 'noneMatch'
  } else {
    const since = timeOf(fields.get(header.modified))
    if (since !== undefined && modified <= since) return 'modified'
  }
  return 'none'
}

/** Whether a list of ETags, quoted or bare, or `*`, names this version. */
export function names(value: string, version: ObjectVersion, state: State): boolean {
  const shown = state.faults.rewriteEtag(version.etag)
  return value
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((etag) => etag === '*' || etag === shown)
}

function timeOf(value: string | undefined): number | undefined {
  const time = value === undefined ? NaN : Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}
